package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-7b870224/sluice/bench/internal/load"
	"github.com/seed-7b870224/sluice/bench/internal/pace"
	"github.com/seed-7b870224/sluice/bench/internal/rig"
	"github.com/seed-7b870224/sluice/internal/emulator"
)

// site is an account, its cloud and the commands for it.
type site struct {
	stage     *stage
	account   rig.Account
	cloud     *pace.Cloud
	operation string
	// action is the mutation's, quota its calls a second.
	action string
	quota  float64
	// instances are as many as take turns, 0 for one a command.
	instances int
	laid      int // commands stored by lay
}

// siteOptions is what differs between sites.
type siteOptions struct {
	name, vendor, operation string
	quota                   float64
	takes                   emulator.Transitions
	// lookups are quotas of look-ups; nil lifts them all.
	lookups     map[string]float64
	maxInFlight int
	instances   int
	timeout     time.Duration
}

// deeds is the action behind an operation, and looks the look-ups that a site has
// without quotas of its own.
var (
	deeds = map[string]string{
		"volcengine/restart": "RestartDBInstance", "volcengine/flush": "FlushDBInstance", "huawei/restart": "RestartOrFlushInstances",
		"tencent/flush": "ClearInstance", "tencent-crs/flush": "ClearRedis",
	}
	looks = map[string][]string{
		"volcengine":  {"DescribeDBInstanceDetail", "DescribeDBInstances"},
		"huawei":      {"ShowInstance", "ListInstances"},
		"tencent":     {"DescribeInstances", "DescribeTaskList", "DescribeTaskInfo"},
		"tencent-crs": {"DescribeRedis", "GetRedisTaskList", "DescribeTaskInfo"},
	}
)

// plenty is a quota that is not felt. Of one above 20,000/s the engine keeps no
// window, and then has nothing to tell at a hand-over.
const plenty = 10_000

// site adds an account with its cloud.
func (s *stage) site(o siteOptions) (*site, error) {
	action := deeds[o.vendor+"/"+o.operation]
	limits, quotas := map[string]float64{}, map[string]string{}
	for _, look := range looks[o.vendor] {
		quotas[look] = rate(plenty)
	}
	maps.Copy(limits, o.lookups)
	if o.quota > 0 {
		limits[action] = o.quota
	}
	quotas[action] = rate(plenty)
	for a, n := range limits {
		quotas[a] = rate(n)
	}
	cloud, err := pace.Start(o.vendor, limits, o.takes)
	if err != nil {
		return nil, err
	}
	t := &site{
		stage: s, cloud: cloud, operation: o.operation, action: action, quota: o.quota, instances: o.instances,
		account: rig.Account{
			Name: o.name, Vendor: o.vendor, Endpoint: cloud.URL, Allow: []string{o.operation}, Quotas: quotas, MaxInFlight: o.maxInFlight, Timeout: o.timeout,
		},
	}
	s.sites = append(s.sites, t)
	return t, nil
}

func rate(perSecond float64) string { return fmt.Sprintf("%.0f/s", perSecond) }

// lane is the site's of a priority.
func (t *site) lane(priority string) load.Lane {
	return load.Lane{
		Prefix: t.stage.prefix, Vendor: t.account.Vendor, Account: t.account.Name, Region: rig.Region(t.account.Vendor),
		Operation: t.operation, Priority: priority,
	}
}

// ranks begin the ids of the instances of each priority, so that a call tells whose
// it is.
var ranks = map[string]string{"urgent": "1", "normal": "2", "bulk": "3"}

// command is the i-th command of a priority. Its instance has a name that every
// vendor takes.
func (t *site) command(priority string, i int) load.Command {
	number := i
	if t.instances > 0 {
		number %= t.instances
	}
	token := fmt.Sprintf("%s-%s-%d", t.account.Name, priority, i)
	return load.Command{
		ID: "e-" + token, Token: token,
		Instance: fmt.Sprintf("%s0000000-0000-4000-8000-%012d", ranks[priority], number),
	}
}

// isFor reports whether a call is for instances of a priority.
func isFor(priority string) func(emulator.Call) bool {
	return func(c emulator.Call) bool {
		return len(c.Instances) > 0 && strings.HasPrefix(c.Instances[0], ranks[priority])
	}
}

// lay stores n commands of a priority.
func (t *site) lay(ctx context.Context, priority string, n int) error {
	t.laid += n
	l, command := t.lane(priority), func(i int) load.Command { return t.command(priority, i) }
	for i := range n {
		if t.instances > 0 && i == t.instances {
			break
		}
		// Lists show an emulated instance from when it is first mentioned.
		if err := t.cloud.SetInstance(emulator.Vendor(t.account.Vendor), command(i).Instance, emulator.InstanceSettings{}); err != nil {
			return err
		}
	}
	if t.account.Vendor != "tencent-crs" {
		return t.stage.broker.Lay(ctx, l, n, command)
	}
	subject := l.Subject()
	return t.stage.broker.Publish(ctx, n, func(i int) *nats.Msg {
		return &nats.Msg{Subject: subject, Data: withPassword(l.Event(command(i), time.Now()))}
	})
}

// withPassword adds the password that this vendor's flush needs.
func withPassword(event []byte) []byte {
	return append(bytes.TrimSuffix(event, []byte("}}")), `,"parameters":{"password":"bench"}}}`...)
}

// throttledCall reports a call that was refused for the quota.
func throttledCall(c emulator.Call) bool { return strings.Contains(c.Outcome, "LimitExceeded") }

// calls are the mutations that have arrived, in order.
func (t *site) calls() []emulator.Call { return t.cloud.Of(t.action) }

// times are the moments of the mutations.
func (t *site) times() pace.Times { return pace.TimesOf(t.calls(), nil) }
