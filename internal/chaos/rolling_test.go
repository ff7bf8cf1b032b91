package chaos

import (
	"fmt"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/chaos/rig"
	"github.com/seed-7b870224/sluice/internal/emulator"
	"github.com/seed-7b870224/sluice/internal/events"
)

// rollingQuota is the documented quota of the action under load.
const rollingQuota = 20

// Replicas that stop, die and start under a backlog keep the quota in every
// sliding second, do everything once, and lose no answer.
func TestRollingRestartKeepsTheQuota(t *testing.T) {
	t.Parallel()
	for _, how := range []struct {
		name string
		stop func(*rig.Consumer)
	}{
		{"rolling restart under backlog", func(c *rig.Consumer) { c.Term() }},
		{"rolling kill -9 under backlog", (*rig.Consumer).Kill},
	} {
		t.Run(how.name, func(t *testing.T) {
			t.Parallel()
			rolling(t, how.name, how.stop)
		})
	}
}

func rolling(t *testing.T, name string, stop func(*rig.Consumer)) {
	offer := rig.OfferOf("tencent")
	const action = "ClearInstance"
	account := rig.Account{
		Name: "tencent", Vendor: "tencent", Allow: []string{events.Flush}, MaxInFlight: 1000,
		Quotas: map[string]string{action: fmt.Sprintf("%d/s", rollingQuota)},
	}
	f := newFleet(t, 3, rig.Config{Accounts: []rig.Account{account}}, emulator.Options{
		Transitions: emulator.Transitions{Flush: 200 * time.Millisecond},
		Quirks:      emulator.Quirks{SignatureLife: shortLife},
		Quotas:      emulator.Quotas{Mode: emulator.QuotaStrict, PerSecond: map[string]float64{"tencent": 0, "tencent/" + action: rollingQuota}},
	})
	f.start(f.replicas...)
	p, results := rig.NewPublisher(t, f.url, f.prefix), rig.NewResults(t, f.url, f.prefix)
	rounds := 1
	if rig.Full() {
		rounds = 4
	}
	for n := range 500 * rounds {
		p.MustSend(offer.Draft(events.Flush, offer.Instance("rolling", n), fmt.Sprintf("rolling-%d", n)))
	}
	row := rig.Row{Fault: name}
	for range rounds {
		for range f.replicas {
			row.Recovery = max(row.Recovery, f.replaceOwner(results, stop))
			row.Injected++
		}
	}
	row.Tally = rig.Settled(t, 5*time.Minute, p, results, f.clouds)
	row.MustBeClean(t)
	// A kill may take the answer to the call in flight with it, and on a busy
	// machine the short life of signatures here may leave no time to find out.
	if n, open := row.Statuses[events.Succeeded], row.Statuses[events.Indeterminate]; n+open != row.Commands || open > row.Injected {
		t.Errorf("%d of %d succeeded: %v", n, row.Commands, row.Statuses)
	}
	f.keptQuota(action)
	rig.Add(row)
}

// replaceOwner stops the replica that owns the one account, waits until another
// has answered a command, and starts it again.
func (f *fleet) replaceOwner(results *rig.Results, stop func(*rig.Consumer)) time.Duration {
	f.Helper()
	var owner *rig.Consumer
	rig.Eventually(f, "an owner", func() bool { owner = f.owner(); return owner != nil })
	began := time.Now()
	stop(owner)
	var recovery time.Duration
	rig.Eventually(f, "an answer by another replica", func() bool {
		read, _ := results.Read(f.Context())
		recovery = rig.Recovery(read, began)
		return f.owner() != nil && f.owner() != owner && recovery > 0
	})
	owner.WaitExit()
	f.start(owner)
	return recovery
}

// owner is the replica that holds the first account, nil while there is none.
func (f *fleet) owner() *rig.Consumer {
	for _, c := range f.replicas {
		if c.Running() && !c.Frozen() && len(c.Holds()) > 0 {
			return c
		}
	}
	return nil
}

// keptQuota checks what arrived. Calls leave evenly spaced, with twenty
// milliseconds of slack in each second; a machine that is busy may hold one up on
// its way by more, and beside other tests several. A hand-over that does not wait
// would be twice as many. That the engine itself keeps to the quota is shown in
// virtual time.
func (f *fleet) keptQuota(action string) {
	f.Helper()
	most := rollingQuota + 1
	if !rig.Full() {
		most = rollingQuota + rollingQuota/5
	}
	for _, pace := range f.clouds.Paces() {
		if pace.Action != action {
			continue
		}
		f.Logf("%d calls, at most %d in any sliding second, %d throttled", pace.Total, pace.MaxPerSecond, pace.Throttled)
		if pace.MaxPerSecond > most {
			f.Errorf("%d calls in one second, quota %d", pace.MaxPerSecond, rollingQuota)
		}
	}
}
