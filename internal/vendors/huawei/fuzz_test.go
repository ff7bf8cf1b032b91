package huawei

import (
	"net/http"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

func FuzzAnswers(f *testing.F) {
	for _, s := range []string{
		``, `null`, `{}`, `[]`, `{"results":[{"instance":"i","result":"success"}]}`, `{"results":[null,1]}`, `{"results":[{"instance":"i","result":"success"},{"instance":"k","result":"failed"},{"instance":"i","result":"failed"}]}`, `{"restore_id":1}`,
		`{"error_code":"DCS. 4111","error_msg":"x"}`, `{"error_code":111400111}`, `{"error":{"code":"APIG.0308"}}`, `{"error":"x"}`,
	} {
		f.Add(200, []byte(s))
		f.Add(500, []byte(s))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		a := wire.Answer{Status: status, Header: http.Header{}, Body: body}
		if v := (call{action: actionShow}).judge(a, nil); v.Kind == 0 || v.Kind == vendors.Ambiguous {
			t.Errorf("a look-up is judged %+v", v)
		}
		v := call{action: actionStatus, mutation: true}.judge(a, nil)
		if v.Kind == 0 || v.Kind == vendors.Done && (status < 200 || status > 299) {
			t.Errorf("HTTP %d is judged %+v", status, v)
		}
		if v = statusTaken(v, decodeResults(a.Body)["i"], vendors.Task{InstanceID: "i"}, refused); v.Kind == vendors.Done {
			t.Errorf("a call that only starts work is done: %+v", v)
		}
		if v = restoreTaken(v, a, vendors.Task{}); v.Kind == vendors.Accepted && v.Task.ID == "" {
			t.Error("a restore was taken without an id")
		}
	})
}

func FuzzLookUps(f *testing.F) {
	for _, s := range []string{
		``, `null`, `{"instance_id":"i","status":"RUNNING","task":null}`, `{"instance_num":"1","instances":[{"instance_id":1}]}`,
		`{"total_num":1,"backup_record_response":[{"backup_id":"b","is_support_restore":true}]}`,
		`{"total_num":0,"restore_record_response":null}`, `{"seenBusy":true,"readySince":"2026-01-02T03:04:05Z"}`,
		`{"status":"RUNNING","engineVersion":"6.0","cacheMode":"ha","task":false}`, `{"status":"RUNNING","task":1}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if i, err := decodeInstance(body, "i"); err == nil {
			if i.Status == "" {
				t.Error("an instance without a status")
			}
			conclude(vendors.Request{Operation: vendors.Restart}, vendors.Intent{Baseline: body}, i)
		}
		a := wire.Answer{Status: 200, Body: body}
		_, _, _ = decodePage[instance](a, listing{rows: "instances", total: "instance_num"})
		_, _, _ = decodePage[backup](a, listing{rows: "backup_record_response", total: "total_num"})
		if rows, total, err := decodePage[restoreRecord](a, listing{rows: "restore_record_response", total: "total_num"}); err == nil && rows == nil && !total.Valid {
			t.Error("silence passes for an empty list")
		}
		for _, listed := range []bool{true, false} {
			advance(vendors.Task{Operation: vendors.Flush, State: body}, sight{status: running, listed: listed, verdict: vendors.Verdict{Kind: vendors.Done}}, time.Time{})
		}
		seen := vendors.Sighting{Detail: noted(string(body))}
		if d, ok := recollect(vendors.Request{Operation: vendors.Restore, Seen: &seen}); ok && (d.Status == "" || d.CacheMode == "") {
			t.Errorf("a sighting that tells too little is taken: %+v", d)
		}
	})
}
