package judges

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/emulator"
	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/huawei"
	"github.com/seed-7b870224/sluice/internal/vendors/tencent"
	"github.com/seed-7b870224/sluice/internal/vendors/volcengine"
)

// ours makes an account of ours at the cloud.
func (c *cloud) ours(region, project string) vendors.Account {
	return vendors.Account{
		Region: region, Project: project, Endpoint: c.url, Timeout: 10 * time.Second,
		Credentials: func(context.Context) (vendors.Credentials, error) {
			return vendors.Credentials{AccessKey: emulator.DefaultAccessKey, SecretKey: secret.New(emulator.DefaultSecretKey)}, nil
		},
	}
}

// calls counts the calls of an action.
func (c *cloud) calls(action string) int { return len(c.Calls(emulator.Filter{Action: action})) }

// Our own adapters look at fifty instances in one call, and Huawei's changes them in
// one; what it saw is enough to prepare with.
func TestOursSurveyFifty(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	hw := must(huawei.New(c.ours("cn-north-4", hwProject)))(t)
	volc := must(volcengine.New(c.ours("cn-beijing", "")))(t)
	tc := must(tencent.New(c.ours("ap-guangzhou", "")))(t)
	for _, x := range []struct {
		name     emulator.Vendor
		vendor   vendors.Surveyor
		op       vendors.Operation
		id       string
		list     string
		singular string
	}{
		{emulator.Huawei, hw, vendors.Flush, "2e803f66-fbb0-47ad-b6cb-%012d", "ListInstances", "ShowInstance"},
		{emulator.Volcengine, volc, vendors.Restart, "redis-cn0212gzmh%04d", "DescribeDBInstances", "DescribeDBInstanceDetail"},
		{emulator.Tencent, tc, vendors.Flush, "crs-5a4p%04d", "DescribeInstances", "-"},
	} {
		ids := make([]string, 50)
		for i := range ids {
			ids[i] = fmt.Sprintf(x.id, i)
			if err := c.SetInstance(x.name, ids[i], emulator.InstanceSettings{}); err != nil {
				t.Fatal(err)
			}
		}
		seen, v := x.vendor.Survey(t.Context(), ids)
		want(t, "verdict of "+string(x.name), v.Kind, vendors.Done)
		want(t, "instances seen at "+string(x.name), len(seen), len(ids))
		for id, s := range seen {
			_, v := x.vendor.Prepare(t.Context(), vendors.Request{Operation: x.op, InstanceID: id, Seen: &s})
			want(t, "verdict on "+id, v.Kind, vendors.Done)
		}
		want(t, "calls of "+x.list, c.calls(x.list), 1)
		want(t, "calls of "+x.singular, c.calls(x.singular), 0)
	}
}

func TestOursRestartsFiftyAtHuawei(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	hw := must(huawei.New(c.ours("cn-north-4", hwProject)))(t)
	reqs, bases := make([]vendors.Request, 50), make([]vendors.Baseline, 50)
	for i, id := range hwFleet(50) {
		reqs[i] = vendors.Request{Operation: vendors.Restart, InstanceID: id}
	}
	reqs[30].InstanceID = hwMissing
	commits := 0
	verdicts := hw.ExecuteMany(t.Context(), reqs, bases, func(context.Context, time.Time) error { commits++; return nil })
	want(t, "commits", commits, 1)
	want(t, "calls", c.calls("RestartOrFlushInstances"), 1)
	var tasks []vendors.Task
	for i, v := range verdicts {
		if i == 30 {
			want(t, "verdict on the missing one", v.Kind, vendors.Unexplained)
			continue
		}
		want(t, "verdict", v.Kind, vendors.Accepted)
		c.wantEffects(t, reqs[i].InstanceID, emulator.Restart, 1)
		tasks = append(tasks, v.Task)
	}
	for i, p := range hw.Poll(t.Context(), tasks) {
		want(t, "state during the work", p.State, vendors.Running)
		tasks[i] = p.Task
	}
	c.finish()
	for polls := 0; len(tasks) > 0; polls++ {
		if polls > 0 {
			time.Sleep(50 * time.Millisecond) // between two polls
		}
		left := tasks[:0:0]
		for _, p := range hw.Poll(t.Context(), tasks) {
			switch p.State {
			case vendors.Succeeded:
			case vendors.Running:
				left = append(left, p.Task)
			default:
				t.Fatalf("progress %+v", p)
			}
		}
		tasks = left
		if polls == 200 {
			t.Fatalf("%d are not over", len(tasks))
		}
	}
}
