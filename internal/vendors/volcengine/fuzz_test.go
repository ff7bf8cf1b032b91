package volcengine

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

func FuzzAnswers(f *testing.F) {
	for _, s := range []string{
		``, `null`, `{}`, `[]`, `{"ResponseMetadata":{"RequestId":"r","Action":"RestartDBInstance"},"Result":null}`,
		`{"ResponseMetadata":{"RequestId":1,"Error":{"CodeN":"x","Code":7,"Message":{}}}}`, `{"ResponseMetadata":null}`,
		`{"ResponseMetadata":{"RequestId":"r"},"Result":{"InstanceId":"i","Status":"Running"}}`,
	} {
		f.Add(200, []byte(s))
		f.Add(500, []byte(s))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		a := wire.Answer{Status: status, Header: http.Header{}, Body: body}
		var found sought
		look, odd := call{action: actionDetail}.judge(a, nil, &found)
		if look.Kind == vendors.Ambiguous {
			t.Errorf("a look-up is ambiguous: %+v", look)
		}
		if look.Kind == vendors.Done && found.check(odd) == nil && found.Status == "" {
			t.Error("an instance without a status")
		}
		if v, _ := (call{action: actionRestart, mutation: true}).judge(a, nil, &nothing{}); v.Kind == 0 || v.Kind == vendors.Done && status != 200 {
			t.Errorf("HTTP %d is judged %+v", status, v)
		}
	})
}

func FuzzResults(f *testing.F) {
	for _, s := range []string{
		`{"status":"Running","class":"Standalone"}`, `null`, `{"InstanceId":"i","Status":"Running"}`, `{"TotalInstancesNum":"1","Instances":[{"InstanceId":1,"Status":null},null]}`,
		`{"Total":1,"Backups":[{"BackupPointId":"b","Status":"Available"}]}`, `{"StartTime":"2026-01-01T00:00:00Z","EndTime":"2026-01-02T00:00Z"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		i, p, b, e := sought{id: "i"}, page{}, backups{}, ends{}
		if i.check(json.Unmarshal(data, &i)) == nil && i.Status == "" {
			t.Error("an instance without a status")
		}
		_ = p.check(json.Unmarshal(data, &p))
		if b.check(json.Unmarshal(data, &b)) == nil {
			b.find("i", "b")
		}
		if e.check(json.Unmarshal(data, &e)) == nil && e.window().known() {
			e.window().holds(time.Time{})
		}
		advance(vendors.Task{State: data}, sight{running, vendors.Verdict{Kind: vendors.Done}}, time.Time{})
	})
}
