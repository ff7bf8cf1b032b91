package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/volcengine"
)

// start serves a stub until the test ends.
func start(t *testing.T) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	v := newVendor()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serve(conn, v)
		}
	}()
	return "http://" + l.Addr().String()
}

func adapter(t *testing.T, url string) *volcengine.Client {
	t.Helper()
	c, err := volcengine.New(vendors.Account{
		Region: "cn-beijing", Endpoint: url, Timeout: 10 * time.Second,
		Credentials: func(context.Context) (vendors.Credentials, error) {
			return vendors.Credentials{AccessKey: "key", SecretKey: secret.New("secret")}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The adapter takes the stub for the vendor.
func TestAdapterCarriesOutAndFollows(t *testing.T) {
	url := start(t)
	c := adapter(t, url)
	commit := func(context.Context, time.Time) error { return nil }
	flush := vendors.Request{Operation: vendors.Flush, InstanceID: "redis-1", ClientToken: "t1"}
	base, v := c.Prepare(t.Context(), flush)
	if v.Kind != vendors.Done {
		t.Fatalf("prepare: %+v", v)
	}
	if v := c.Execute(t.Context(), flush, base, commit); v.Kind != vendors.Done {
		t.Errorf("flush: %+v", v)
	}
	var tasks []vendors.Task
	for _, id := range []string{"redis-1", "redis-2", "redis-3"} {
		v := c.Execute(t.Context(), vendors.Request{Operation: vendors.Restart, InstanceID: id, ClientToken: "r" + id}, base, commit)
		if v.Kind != vendors.Accepted {
			t.Fatalf("restart: %+v", v)
		}
		tasks = append(tasks, v.Task)
	}
	// Three tasks are more than are asked for one by one: this reads the list.
	for i, p := range c.Poll(t.Context(), tasks) {
		if p.State != vendors.Running {
			t.Errorf("task %d is %v, want it to stay running: %+v", i, p.State, p.Verdict)
		}
	}
	if _, v := c.Prepare(t.Context(), flush); v.Kind != vendors.Busy {
		t.Errorf("prepare of a restarting instance: %+v", v)
	}
	var counts map[string]int
	if err := json.Unmarshal([]byte(get(t, url+"/_stub/counts")), &counts); err != nil {
		t.Fatal(err)
	}
	for action, want := range map[string]int{"FlushDBInstance": 1, "RestartDBInstance": 3, "DescribeDBInstances": 1, "DescribeDBInstanceDetail": 2} {
		if counts[action] != want {
			t.Errorf("%d calls of %s, want %d", counts[action], action, want)
		}
	}
	if got := strings.Fields(get(t, url+"/_stub/arrivals?action=RestartDBInstance")); len(got) != 6 || got[1] != "redis-1" || got[5] != "redis-3" {
		t.Errorf("arrivals: %q", got)
	}
}

func TestPagesShowEveryInstanceOnce(t *testing.T) {
	v := newVendor()
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		v.know(id)
	}
	var seen []string
	for _, body := range []string{`{"PageNumber":1,"PageSize":2}`, `{"PageSize":2,"PageNumber":2}`, `{"PageNumber":3,"PageSize":2}`, `{"PageNumber":4,"PageSize":2}`} {
		var page struct {
			TotalInstancesNum int
			Instances         []struct{ InstanceId, Status string }
		}
		if err := json.Unmarshal([]byte(v.page([]byte(body))), &page); err != nil {
			t.Fatal(err)
		}
		if page.TotalInstancesNum != 5 {
			t.Errorf("total %d, want 5", page.TotalInstancesNum)
		}
		for _, i := range page.Instances {
			seen = append(seen, i.InstanceId)
		}
	}
	if got := strings.Join(seen, ""); got != "abcde" {
		t.Errorf("the pages show %q", got)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
