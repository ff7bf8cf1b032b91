package judges

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/signer"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/request"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	dcs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dcs/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dcs/v2/model"

	"github.com/seed-7b870224/sluice/internal/emulator"
	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/huawei"
)

const (
	hwID      = "2e803f66-fbb0-47ad-b6cb-fb87f5bed4ef"
	hwProject = "0123456789abcdef0123456789abcdef"
	hwBackup  = "b0000000-0000-4000-8000-000000000001"
	hwMissing = "00000000-0000-0000-0000-000000000000"
)

// hwSDK is the vendor's client. The project is given, or the SDK would ask the
// vendor's IAM for it.
func hwSDK(t *testing.T, c *cloud, secretKey string) (*dcs.DcsClient, *tap) {
	t.Helper()
	p := newTap(t)
	keys := must(basic.NewCredentialsBuilder().WithAk(emulator.DefaultAccessKey).WithSk(secretKey).WithProjectId(hwProject).SafeBuild())(t)
	client := must(dcs.DcsClientBuilder().
		WithEndpoints([]string{c.url}).
		WithCredential(keys).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(p).WithTimeout(10 * time.Second)).
		SafeBuild())(t)
	return dcs.NewDcsClient(client), p
}

func hwChange(client *dcs.DcsClient, action string, ids ...string) (*model.RestartOrFlushInstancesResponse, error) {
	return client.RestartOrFlushInstances(&model.RestartOrFlushInstancesRequest{
		Body: &model.ChangeInstanceStatusBody{Instances: &ids, Action: &action},
	})
}

func hwStatus(t *testing.T, client *dcs.DcsClient, id string) string {
	t.Helper()
	return value(must(client.ShowInstance(&model.ShowInstanceRequest{InstanceId: id}))(t).Status)
}

func TestHuaweiStatusOperations(t *testing.T) {
	t.Parallel()
	const other = "2e803f66-fbb0-47ad-b6cb-fb87f5bed4f0"
	for _, tt := range []struct {
		action, status string
		op             emulator.Operation
	}{
		{"restart", "RESTARTING", emulator.Restart},
		{"soft_restart", "RESTARTING", emulator.SoftRestart},
		{"flush", "FLUSHING", emulator.Flush},
	} {
		t.Run(tt.action, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			client, p := hwSDK(t, c, emulator.DefaultSecretKey)
			answer := must(hwChange(client, tt.action, hwID, other))(t)
			p.wantModelled(t, &model.RestartOrFlushInstancesResponse{}, "")
			results := value(answer.Results)
			if len(results) != 2 {
				t.Fatalf("answer %s", answer)
			}
			for i, id := range []string{hwID, other} {
				want(t, "instance", value(results[i].Instance), id)
				want(t, "result", value(results[i].Result), "success")
				want(t, "status during the work", hwStatus(t, client, id), tt.status)
				c.wantEffects(t, id, tt.op, 1)
			}
			c.finish()
			want(t, "status after the work", hwStatus(t, client, hwID), "RUNNING")
		})
	}
}

// hwFleet is n ids of instances.
func hwFleet(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("2e803f66-fbb0-47ad-b6cb-%012d", i)
	}
	return ids
}

func TestHuaweiFiftyAtATime(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	client, p := hwSDK(t, c, emulator.DefaultSecretKey)
	ids := hwFleet(51)
	_, err := hwChange(client, "restart", ids...)
	var failure *sdkerr.ServiceResponseError
	if !errors.As(err, &failure) {
		t.Fatalf("error %T %v is no ServiceResponseError", err, err)
	}
	want(t, "code of 51 ids", failure.ErrorCode, "DCS.4100")
	c.wantEffects(t, "", "", 0)

	// Of one that is at other work already and of one that there is not, the vendor
	// says only that they failed.
	ids = ids[:50]
	must(hwChange(client, "flush", ids[7]))(t)
	ids[30] = hwMissing
	answer := must(hwChange(client, "restart", ids...))(t)
	p.wantModelled(t, &model.RestartOrFlushInstancesResponse{}, "")
	said := map[string]string{}
	for _, r := range value(answer.Results) {
		said[value(r.Instance)] = value(r.Result)
	}
	want(t, "instances in the answer", len(said), 50)
	for i, id := range ids {
		result, effects := "success", 1
		if i == 7 || i == 30 {
			result, effects = "failed", 0
		}
		want(t, "result of "+id, said[id], result)
		c.wantEffects(t, id, emulator.Restart, effects)
	}

	// Lists come in pages, and tell the status of each but not its task.
	statuses := map[string]int{}
	for offset := int32(0); offset < 51; offset += 20 {
		limit := int32(20)
		list := must(client.ListInstances(&model.ListInstancesRequest{Limit: &limit, Offset: &offset}))(t)
		p.wantModelled(t, &model.ListInstancesResponse{}, "")
		want(t, "instances in all", value(list.InstanceNum), 51)
		for _, row := range value(list.Instances) {
			statuses[value(row.Status)]++
		}
	}
	want(t, "instances at restart", statuses["RESTARTING"], 48)
	want(t, "instances at flush", statuses["FLUSHING"], 1)
	want(t, "instances at nothing, named only in a refused call", statuses["RUNNING"], 2)
	c.finish()
	again := must(hwChange(client, "restart", ids[7]))(t)
	want(t, "result of the one by itself", value(value(again.Results)[0].Result), "success")
}

func TestHuaweiRefusesAsAWhole(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	if err := c.SetQuirks(emulator.Quirks{HuaweiBatch: "request"}); err != nil {
		t.Fatal(err)
	}
	client, _ := hwSDK(t, c, emulator.DefaultSecretKey)
	ids := hwFleet(50)
	must(hwChange(client, "flush", ids[49]))(t)
	_, err := hwChange(client, "restart", ids...)
	var failure *sdkerr.ServiceResponseError
	if !errors.As(err, &failure) {
		t.Fatalf("error %T %v is no ServiceResponseError", err, err)
	}
	want(t, "code", failure.ErrorCode, "DCS.4026")
	for _, id := range ids {
		c.wantEffects(t, id, emulator.Restart, 0)
	}
}

func TestHuaweiRestore(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	client, p := hwSDK(t, c, emulator.DefaultSecretKey)
	records := func() []model.InstanceRestoreInfo {
		t.Helper()
		begin, limit, offset := time.Now().Add(-time.Hour).UTC().Format("20060102150405"), int32(100), int32(0)
		list := must(client.ListRestoreRecords(&model.ListRestoreRecordsRequest{
			InstanceId: hwID, BeginTime: &begin, Limit: &limit, Offset: &offset,
		}))(t)
		return value(list.RestoreRecordResponse)
	}
	want(t, "records before the restore", len(records()), 0)

	remark := "judge-1"
	answer := must(client.RestoreInstance(&model.RestoreInstanceRequest{
		InstanceId: hwID, Body: &model.RestoreInstanceBody{BackupId: hwBackup, Remark: &remark},
	}))(t)
	p.wantModelled(t, &model.RestoreInstanceResponse{}, "")
	if value(answer.RestoreId) == "" {
		t.Fatalf("answer %s", answer)
	}
	want(t, "status during the work", hwStatus(t, client, hwID), "RESTORING")
	for _, status := range []model.InstanceRestoreInfoStatus{
		model.GetInstanceRestoreInfoStatusEnum().RESTORING, model.GetInstanceRestoreInfoStatusEnum().SUCCEED,
	} {
		rows := records()
		p.wantModelled(t, &model.ListRestoreRecordsResponse{}, "")
		if len(rows) != 1 {
			t.Fatalf("records %s", rows)
		}
		want(t, "record's id", value(rows[0].RestoreId), value(answer.RestoreId))
		want(t, "record's backup", value(rows[0].BackupId), hwBackup)
		want(t, "record's remark", value(rows[0].RestoreRemark), remark)
		want(t, "record's status", value(rows[0].Status), status)
		c.finish()
	}
	c.wantEffects(t, hwID, emulator.Restore, 1)
}

func TestHuaweiLookups(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	client, p := hwSDK(t, c, emulator.DefaultSecretKey)

	shown := must(client.ShowInstance(&model.ShowInstanceRequest{InstanceId: hwID}))(t)
	// The vendor documents task, its SDK does not know it.
	p.wantModelled(t, &model.ShowInstanceResponse{}, "", "task")
	want(t, "id", value(shown.InstanceId), hwID)
	want(t, "status", value(shown.Status), "RUNNING")
	want(t, "engine version", value(shown.EngineVersion), "6.0")
	want(t, "cache mode", value(shown.CacheMode), model.GetShowInstanceResponseCacheModeEnum().HA)

	limit, offset := int32(1000), int32(0)
	list := must(client.ListInstances(&model.ListInstancesRequest{Limit: &limit, Offset: &offset}))(t)
	p.wantModelled(t, &model.ListInstancesResponse{}, "")
	want(t, "instances in all", value(list.InstanceNum), 1)
	if rows := value(list.Instances); len(rows) == 1 {
		want(t, "listed id", value(rows[0].InstanceId), hwID)
		want(t, "listed status", value(rows[0].Status), "RUNNING")
	} else {
		t.Errorf("instances %s", list)
	}

	limit = 100
	backups := must(client.ListBackupRecords(&model.ListBackupRecordsRequest{InstanceId: hwID, Limit: &limit, Offset: &offset}))(t)
	p.wantModelled(t, &model.ListBackupRecordsResponse{}, "")
	want(t, "backups in all", value(backups.TotalNum), 2)
	rows := value(backups.BackupRecordResponse)
	if len(rows) != 2 {
		t.Fatalf("backups %s", backups)
	}
	status := model.GetBackupRecordResponseStatusEnum()
	want(t, "first backup", value(rows[0].BackupId), hwBackup)
	want(t, "first backup's instance", value(rows[0].InstanceId), hwID)
	want(t, "first backup's status", value(rows[0].Status), status.SUCCEED)
	want(t, "second backup's status", value(rows[1].Status), status.EXPIRED)
}

func TestHuaweiErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, secretKey, id, code string
		status                    int
	}{
		{"wrong secret", "wrong", hwID, "APIGW.0301", 401},
		{"unknown instance", emulator.DefaultSecretKey, hwMissing, "DCS.3022", 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			client, _ := hwSDK(t, c, tt.secretKey)
			_, restart := hwChange(client, "restart", tt.id)
			_, restore := client.RestoreInstance(&model.RestoreInstanceRequest{InstanceId: tt.id, Body: &model.RestoreInstanceBody{BackupId: hwBackup}})
			_, show := client.ShowInstance(&model.ShowInstanceRequest{InstanceId: tt.id})
			for _, err := range []error{restart, restore, show} {
				var failure *sdkerr.ServiceResponseError
				if !errors.As(err, &failure) {
					t.Fatalf("error %T %v is no ServiceResponseError", err, err)
				}
				want(t, "code", failure.ErrorCode, tt.code)
				want(t, "HTTP status", failure.StatusCode, tt.status)
				if failure.RequestId == "" || failure.ErrorMessage == "" {
					t.Errorf("the error has no request id or no message: %v", failure)
				}
			}
			c.wantEffects(t, tt.id, "", 0)
		})
	}
}

func TestHuaweiSignersAgree(t *testing.T) {
	t.Parallel()
	d := newDice(t)
	for i := range signerCases {
		ak, sk, token := d.text(plain, 24), d.text(awkward, 40), d.maybe(plain+"+/=", 60)
		project, at := d.maybe(plain, 32), d.when()
		theirs, ours, body := hwRequests(t, d)
		for name, v := range map[string]string{"X-Project-Id": project, "X-Security-Token": token} {
			if v != "" {
				theirs.AddHeaderParam(name, v)
			}
		}
		theirs.AddHeaderParam("X-Sdk-Date", at.Format("20060102T150405Z"))
		headers := must(signer.Sign(theirs, ak, sk))(t)
		huawei.Sign(ours, body, vendors.Credentials{AccessKey: ak, SecretKey: secret.New(sk), SessionToken: secret.New(token)}, project, at)
		for _, name := range []string{"Authorization", "X-Sdk-Date"} {
			if got, expected := ours.Header.Get(name), headers[name]; got != expected {
				t.Fatalf("case %d, %s %s: our %s is\n%s, theirs\n%s", i, ours.Method, ours.URL, name, got, expected)
			}
		}
	}
}

// hwRequests is the same random request in the SDK's form and in ours.
func hwRequests(t *testing.T, d dice) (*request.DefaultHttpRequest, *http.Request, []byte) {
	t.Helper()
	u := url.URL{Scheme: "https", Host: d.host(), Path: "/v2/" + d.maybe(awkward, 20) + "/" + d.text(awkward, 8)}
	method := []string{"GET", "POST", "PUT"}[d.IntN(3)]
	build := request.NewHttpRequestBuilder().WithEndpoint("https://" + u.Host).WithPath(u.Path).WithMethod(method)
	build.AddHeaderParam("host", u.Host).AddHeaderParam("Content-Type", "application/json;charset=UTF-8")
	query := url.Values{}
	for name, v := range d.members(awkward) {
		query.Set(name, v)
		build.AddQueryParam(name, reflect.ValueOf(v))
	}
	if method != http.MethodGet {
		build.WithBody("body", map[string]string{d.text(plain, 9): d.text(awkward, 100)})
	}
	theirs := build.Build()
	body := must(theirs.GetBodyToBytes())(t).Bytes()
	u.RawQuery = query.Encode()
	ours, err := http.NewRequest(method, u.String(), strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	ours.Header.Set("Content-Type", "application/json;charset=UTF-8")
	return theirs, ours, body
}
