package chaos

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/chaos/rig"
	"github.com/seed-7b870224/sluice/internal/emulator"
)

// fleet is several replicas that share a broker and accounts.
type fleet struct {
	*testing.T
	url, prefix string
	clouds      *rig.Clouds
	conf        rig.Config
	replicas    []*rig.Consumer
}

// newFleet prepares n replicas, none of which runs yet. Without accounts of its
// own the configuration gets one per vendor.
func newFleet(t *testing.T, n int, conf rig.Config, o emulator.Options) *fleet {
	t.Helper()
	rig.Reserve(t, int64(n))
	f := &fleet{T: t, url: rig.NewServer(t), prefix: rig.Prefix(t), clouds: rig.NewClouds(t, o)}
	conf.NATS, conf.Prefix = f.url, f.prefix
	if conf.Accounts == nil {
		conf.Accounts = rig.Accounts(f.clouds)
	}
	for i := range conf.Accounts {
		conf.Accounts[i].Endpoint = f.clouds.URL
	}
	f.conf = conf
	for i := range n {
		f.replicas = append(f.replicas, rig.NewConsumer(t, fmt.Sprintf("replica-%d", i+1), conf))
	}
	return f
}

// start runs replicas and waits until they are ready.
func (f *fleet) start(which ...*rig.Consumer) {
	f.Helper()
	for _, c := range which {
		c.Start(lifeEnv)
	}
	for _, c := range which {
		c.WaitReady()
	}
}

// lifeEnv shortens the life of signatures for processes; their clouds have the
// same.
var lifeEnv = "SLUICE_FAULT_SIGNATURE_LIFE=" + shortLife.String()

// holdings asks every running replica what it owns.
func (f *fleet) holdings() (perReplica []int, owned []string) {
	for _, c := range f.replicas {
		if c.Running() && !c.Frozen() {
			held := c.Holds()
			perReplica = append(perReplica, len(held))
			owned = append(owned, held...)
		}
	}
	slices.Sort(owned)
	return perReplica, owned
}

// balanced reports whether every account has one owner and no replica holds more
// than one above the even share.
func (f *fleet) balanced() bool {
	per, owned := f.holdings()
	if len(owned) != len(f.conf.Accounts) || len(slices.Compact(owned)) != len(f.conf.Accounts) {
		return false
	}
	share := (len(owned) + len(per) - 1) / len(per)
	return slices.Max(per) <= share+1
}

// Whatever happens to the replicas, the accounts are spread evenly soon after.
func TestBalance(t *testing.T) {
	t.Parallel()
	var accounts []rig.Account
	for i := range 9 {
		accounts = append(accounts, rig.Account{Name: fmt.Sprintf("account-%d", i), Vendor: "tencent", Allow: []string{"flush"}})
	}
	f := newFleet(t, 3, rig.Config{Accounts: accounts, LeaseTTL: 3 * time.Second}, emulator.Options{})
	a, b, c := f.replicas[0], f.replicas[1], f.replicas[2]
	row := rig.Row{Fault: "balance after start, stop or kill of a replica"}
	for _, change := range []struct {
		what string
		do   func()
	}{
		{"one replica", func() { f.start(a) }},
		{"two more", func() { f.start(b, c) }},
		{"one killed", b.Kill},
		{"it comes back", func() { f.start(b) }},
		{"one stopped", func() { c.Term() }},
		{"it comes back", func() { f.start(c) }},
		{"two killed at once", func() { a.Kill(); b.Kill() }},
		{"both come back", func() { f.start(a, b) }},
	} {
		began := time.Now()
		change.do()
		rig.EventuallyWithin(t, 30*time.Second, "balance after "+change.what, f.balanced)
		took := time.Since(began)
		t.Logf("%s: balanced after %s", change.what, took.Round(time.Millisecond))
		row.Injected++
		row.Recovery = max(row.Recovery, took)
	}
	rig.Add(row)
}
