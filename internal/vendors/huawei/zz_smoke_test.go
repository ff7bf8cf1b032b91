package huawei
import ("testing";"time";"context";"net/http/httptest"
"github.com/seed-7b870224/sluice/internal/emulator"
"github.com/seed-7b870224/sluice/internal/secret"
"github.com/seed-7b870224/sluice/internal/vendors")
func TestSmoke(t *testing.T){
 e:=emulator.New(emulator.Options{}); s:=httptest.NewServer(e); defer s.Close(); defer e.Close()
 a:=account(s.URL)
 a.Credentials=func(context.Context)(vendors.Credentials,error){return vendors.Credentials{AccessKey:"emulator-key",SecretKey:secret.New("emulator-secret")},nil}
 c:=client(t,a)
 t.Log(c.Probe(t.Context()))
 n:=0
 for _,op:=range []vendors.Operation{vendors.Restart,vendors.SoftRestart,vendors.Flush,vendors.Restore} {
  for _,b:=range []string{"b0000000-0000-4000-8000-000000000001","00000000-0000-0000-0000-00000000dead","any-thing"} {
  if op!=vendors.Restore && b!="b0000000-0000-4000-8000-000000000001" {continue}
  n++
  req:=vendors.Request{Operation:op,InstanceID:"redis-a"+string(rune('a'+n)),BackupID:b,ClientToken:"t"+b+string(op),Marker:"m"}
  if "huawei"=="huawei" { req.InstanceID="2e803f66-fbb0-47ad-b6cb-fb87f5bed4e"+string(rune('a'+n)) }
  base,v:=c.Prepare(t.Context(),req); t.Logf("%s %s %s prepare %v %v %q", op,req.InstanceID, b, v.Kind,v.Reason,v.Message)
  if v.Kind!=vendors.Done {continue}
  v=c.Execute(t.Context(),req,base,committed); t.Logf("  execute %+v",v)
  t.Logf("  reconcile %+v", c.Reconcile(t.Context(),req,vendors.Intent{Baseline:base,SignedAt:time.Now()}))
  if v.Kind==vendors.Accepted { task:=v.Task; for i:=0;i<100;i++ { p:=c.Poll(t.Context(),[]vendors.Task{task}); task=p[0].Task; if p[0].State!=vendors.Running {t.Logf("  poll %d: %v %+v",i,p[0].State,p[0]);if p[0].State!=vendors.Unknown{break}}; time.Sleep(300*time.Millisecond)}}
 }}
 if "huawei"=="volcengine" {
  req:=vendors.Request{Operation:vendors.Restore,InstanceID:"redis-zz",TimePoint:time.Now().Add(-time.Hour)}
  _,v:=c.Prepare(t.Context(),req); t.Logf("pitr %+v",v)
 }
}
