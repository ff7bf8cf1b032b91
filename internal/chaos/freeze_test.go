package chaos

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-7b870224/sluice/internal/chaos/rig"
	"github.com/seed-7b870224/sluice/internal/emulator"
	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/ledger"
)

// freezeCase freezes the owner of an account at one point of a command's life,
// with a replica standing by, and thaws it when the account has another owner.
type freezeCase struct {
	point string
	// first kills an earlier process at another point, so that the one that
	// freezes takes work over.
	first string
	// late thaws only after the new owner has answered, when every signature of
	// the frozen process has lapsed.
	late bool
	// lands: the request that was frozen on its way takes effect after the thaw.
	lands bool
	// own: the new owner has to send the request itself, if it can be shown that
	// the frozen one did not.
	own bool
}

var freezeCases = []freezeCase{
	{point: "claim.after", own: true},
	{point: "intent.before", own: true},
	{point: "intent.after", own: true},
	{point: "intent.after", late: true, own: true},
	{point: "call.before", lands: true},
	{point: "call.before", late: true, own: true},
	{point: "call.answered"},
	{point: "touch.before", first: "call.answered"},
	{point: "touch.after", first: "call.answered"},
	{point: "accepted.after"},
	{point: "outcome.before"},
	{point: "result.before"},
}

func (fc freezeCase) name() string {
	if fc.late {
		return fc.point + "/until all signatures have lapsed"
	}
	return fc.point + "/until another serves the account"
}

// A replica that was frozen and thaws sends nothing more, writes nothing more to
// the ledger, says once that its lease is lost, and serves again when it is its
// turn. What was frozen on its way may land, once, while its signature lives.
func TestFreezePoints(t *testing.T) {
	t.Parallel()
	for _, o := range rig.Offers() {
		vendor := o.Facts.Name
		for _, fc := range freezeCases {
			short := vendor == "tencent" || vendor == "volcengine" && fc.point == "call.before"
			if !short && !rig.Full() {
				continue
			}
			t.Run(vendor+"/"+strings.ReplaceAll(fc.name(), " ", "_"), func(t *testing.T) {
				t.Parallel()
				newFreeze(t, fc, vendor).run()
			})
		}
	}
}

// freeze is one run of a case.
type freeze struct {
	*fleet
	freezeCase
	work
	life          time.Duration
	sleeper, heir *rig.Consumer
	publish       *rig.Publisher
	results       *rig.Results
	js            jetstream.JetStream
	instance      string
	thawed        time.Time
	lostBefore    int // times the sleeper lost its lease on a busy machine before it was frozen
}

func newFreeze(t *testing.T, fc freezeCase, vendor string) *freeze {
	o := rig.OfferOf(vendor)
	z := &freeze{freezeCase: fc, work: work{o, o.Operations[0]}, life: shortLife}
	if fc.lands {
		z.life = 20 * time.Second // outlives the lease by far
	}
	accounts := []rig.Account{{Name: vendor, Vendor: vendor}}
	z.fleet = newFleet(t, 2, rig.Config{Accounts: accounts, LogLevel: "debug"}, emulator.Options{
		Transitions: emulator.Transitions{Restart: longWork, Flush: 500 * time.Millisecond},
		Quirks:      emulator.Quirks{SignatureLife: z.life},
	})
	z.sleeper, z.heir = z.replicas[0], z.replicas[1]
	z.instance, z.js = o.Instance(z.prefix, 0), rig.JetStream(t, z.url)
	return z
}

func (z *freeze) run() {
	life := "SLUICE_FAULT_SIGNATURE_LIFE=" + z.life.String()
	if z.first != "" {
		z.sleeper.Start(life, "SLUICE_FAULT="+z.first+"@1=kill")
		z.sleeper.WaitReady()
		z.command(z.instance)
		z.sleeper.WaitExit()
	}
	z.sleeper.Start(life, "SLUICE_FAULT="+z.point+"@1=freeze")
	if z.first == "" {
		z.sleeper.WaitReady()
		z.command(z.instance)
	}
	rig.Eventually(z, "freezing at "+z.point, z.sleeper.Frozen)
	before := z.revision()
	z.heir.Start(life)
	z.heir.WaitReady()
	rig.Eventually(z, "a new owner", func() bool { return len(z.heir.Holds()) == 1 })
	if z.writes() {
		// Until the new owner has written, the old one's writes still count.
		rig.Eventually(z, "the new owner's first write", func() bool { return z.revision() != before })
	}
	if z.late {
		rig.Settled(z, time.Minute, z.publish, z.results, z.clouds)
	}
	calls := len(z.clouds.Mutations(z.instance))
	z.thaw()
	if z.comesTooLate() {
		rig.Eventually(z, "the frozen call", func() bool { return len(z.clouds.Mutations(z.instance)) > calls })
	}
	tally := rig.Settled(z, time.Minute, z.publish, z.results, z.clouds)
	tally.MustBeClean(z)
	z.judge()
	z.checkSleeper()
	z.servesAgain()
	read, err := z.results.Read(z.Context())
	if err != nil {
		z.Fatal(err)
	}
	rig.Add(rig.Row{Fault: "SIGSTOP at " + z.point, Injected: 1, Tally: tally, Recovery: rig.Recovery(read, z.thawed)})
}

// command publishes one command.
func (z *freeze) command(instance string) {
	if z.publish == nil {
		z.publish, z.results = rig.NewPublisher(z, z.url, z.prefix), rig.NewResults(z, z.url, z.prefix)
	}
	z.publish.MustSend(z.offer.Draft(z.operation, instance, instance))
}

// revision is that of the command's record in the ledger; 0 while there is none.
func (z *freeze) revision() uint64 {
	z.Helper()
	bucket, err := z.js.KeyValue(z.Context(), z.prefix+"_ledger")
	if err != nil {
		z.Fatal(err)
	}
	e, err := bucket.Get(z.Context(), ledger.Key(events.TokenKey(z.instance)))
	if err != nil {
		return 0
	}
	return e.Revision()
}

// comesTooLate reports whether the thawed replica's request arrives after the
// command was answered, and is refused for the age of its signature.
func (z *freeze) comesTooLate() bool { return z.late && z.point == "call.before" }

func (z *freeze) thaw() {
	z.thawed, z.lostBefore = time.Now(), len(z.lostLines())
	z.sleeper.Thaw()
}

// judge checks the one command's end.
func (z *freeze) judge() {
	z.Helper()
	effects, calls := z.clouds.Effects().Total(z.instance, ""), z.clouds.Mutations(z.instance)
	read, err := z.results.Read(z.Context())
	if err != nil {
		z.Fatal(err)
	}
	last := read[len(read)-1]
	want, ran := events.Succeeded, 1
	intended := z.point == "intent.after" || z.point == "call.before"
	if z.own && intended && z.proof() != byRecord {
		want, ran = events.Indeterminate, 0 // the vendor cannot show that nothing ran
	}
	if last.Data.Status != want || effects != ran {
		z.Errorf("%s (%+v) with %d effects; want %s with %d", last.Data.Status, last.Data.Reason, effects, want, ran)
	}
	most := 1
	if z.comesTooLate() {
		most = 2 // the frozen one, refused for its age
	}
	if len(calls) > most {
		z.Errorf("%d calls arrived, want at most %d: %+v", len(calls), most, calls)
	}
}

// checkSleeper checks what the thawed replica did: it said once that its lease is
// lost, and lost every compare-and-set it tried.
func (z *freeze) checkSleeper() {
	z.Helper()
	rig.Eventually(z, "word of the lost lease", func() bool { return len(z.lostLines()) > z.lostBefore })
	if held := z.sleeper.Holds(); len(held) > 0 {
		z.Errorf("the thawed replica still claims %v", held)
	}
	if z.writes() && z.point != "touch.before" { // that one it may give up unasked
		rig.EventuallyWithin(z, 20*time.Second, "a refused write of the thawed replica to the ledger", func() bool {
			return z.sleeper.Metrics()["sluice_ledger_conflicts_total"] > 0
		})
	}
	if lines := z.lostLines()[z.lostBefore:]; len(lines) != 1 {
		z.Errorf("%d warnings of the lost lease, want 1:\n%s", len(lines), strings.Join(lines, "\n"))
	}
}

// writes reports whether the thawed replica's next step is a write to the ledger.
func (z *freeze) writes() bool {
	switch z.point {
	case "intent.before", "intent.after", "call.before", "call.answered", "touch.before", "outcome.before":
		return true
	}
	return false
}

func (z *freeze) lostLines() []string {
	return z.sleeper.LogLines("level=WARN", "lease", "account."+z.offer.Facts.Name+"."+z.offer.Facts.Name)
}

// servesAgain lets the thawed replica have the account back.
func (z *freeze) servesAgain() {
	z.Helper()
	z.heir.Kill()
	again := z.offer.Instance(z.prefix, 1)
	z.publish.MustSend(z.offer.Draft(z.operation, again, again))
	rig.Settled(z, time.Minute, z.publish, z.results, z.clouds).MustBeClean(z)
	if n := z.clouds.Effects().Total(again, ""); n != 1 {
		z.Errorf("%d effects of the command to the thawed replica, want 1", n)
	}
}

// An owner that is frozen while it has nothing to do loses its account like any
// other and serves again after it thaws.
func TestFreezeIdleOwner(t *testing.T) {
	t.Parallel()
	z := newFreeze(t, freezeCase{point: "idle"}, "tencent")
	z.start(z.sleeper)
	rig.Eventually(t, "ownership", func() bool { return len(z.sleeper.Holds()) == 1 })
	z.start(z.heir)
	z.sleeper.Freeze()
	rig.Eventually(t, "a new owner", func() bool { return len(z.heir.Holds()) == 1 })
	z.command(z.instance)
	tally := rig.Settled(t, time.Minute, z.publish, z.results, z.clouds)
	tally.MustBeClean(t)
	z.thaw()
	z.checkSleeper()
	z.servesAgain()
	rig.Add(rig.Row{Fault: "SIGSTOP of an idle owner", Injected: 1, Tally: tally})
}
