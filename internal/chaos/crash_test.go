package chaos

import (
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/chaos/rig"
	"github.com/seed-7b870224/sluice/internal/emulator"
	"github.com/seed-7b870224/sluice/internal/events"
)

const (
	// shortLife is how long signatures live here; production counts in minutes.
	shortLife = 3 * time.Second
	// longWork takes so long that it is still seen by a process that has started again and waited for its
	// predecessor's lease.
	longWork = 9 * time.Second
)

// Killed at every step of a command's life and started again, the program
// answers once, does the work at most once, and finds out what it can.
func TestCrashPoints(t *testing.T) {
	t.Parallel()
	url := rig.NewServer(t)
	for _, p := range crashPoints {
		rig.Add(rig.Row{Fault: p.title()}) // in the order of a command's life
	}
	for _, w := range allWork() {
		for _, p := range crashPoints {
			if !chosen(w, p) {
				continue
			}
			t.Run(w.path()+p.path(), func(t *testing.T) {
				t.Parallel()
				rig.Reserve(t, 1)
				newCell(t, url, w, p).run()
			})
		}
	}
}

// cell is one crash: an operation, a point, and a broker, clouds and consumer of
// their own.
type cell struct {
	*testing.T
	work
	point    crashPoint
	clouds   *rig.Clouds
	conf     rig.Config
	consumer *rig.Consumer
	publish  *rig.Publisher
	results  *rig.Results
	instance string
	lasts    time.Duration
	died     time.Time
	// also is published right after the command.
	also []events.Draft
}

func newCell(t *testing.T, url string, w work, p crashPoint) *cell {
	c := &cell{T: t, work: w, point: p, lasts: 500 * time.Millisecond}
	if w.proof() == byStatus && (p.follows || p.leave(w.sync()) == open) {
		c.lasts = longWork
		if p.first != "" {
			c.lasts += longWork / 2 // two leases have to run out
		}
	}
	all := emulator.Transitions{Restart: c.lasts, SoftRestart: c.lasts, Flush: c.lasts, Restore: c.lasts}
	c.clouds = rig.NewClouds(t, emulator.Options{Transitions: all, Quirks: emulator.Quirks{SignatureLife: shortLife}})
	prefix := rig.Prefix(t)
	account := rig.Accounts(c.clouds, w.offer.Facts.Name)
	account[0].Allow = []string{w.operation}
	c.conf = rig.Config{NATS: url, Prefix: prefix, Accounts: account, LogLevel: "debug"}
	c.consumer = rig.NewConsumer(t, "consumer", c.conf)
	c.publish, c.results = rig.NewPublisher(t, url, prefix), rig.NewResults(t, url, prefix)
	c.instance = w.offer.Instance(prefix, 0)
	return c
}

// run makes the crash and judges what came of it.
func (c *cell) run() {
	tally := c.crash()
	tally.MustBeClean(c)
	c.judge()
	c.report(tally)
}

// crash kills, starts again and waits for the end.
func (c *cell) crash() rig.Tally {
	if c.point.fault != "" {
		c.fault(emulator.Fault{Kind: c.point.fault, Action: c.offer.Action(c.operation), Times: 1})
	}
	if c.point.first == "" {
		c.start(c.point.name)
		c.command()
	} else {
		c.start(c.point.first)
		c.command()
		c.dies(c.point.first)
		c.start(c.point.name)
	}
	c.dies(c.point.name)
	c.clouds.ClearFaults()
	c.start("")
	return rig.Settled(c, time.Minute, c.publish, c.results, c.clouds)
}

// command publishes the one command.
func (c *cell) command() {
	c.consumer.WaitReady()
	d := c.offer.Draft(c.operation, c.instance, c.instance)
	if c.point.expires {
		c.fault(emulator.Fault{Kind: emulator.FaultThrottle})
		d.Expires = time.Now().Add(4 * time.Second)
	}
	c.publish.MustSend(d)
	for _, also := range c.also {
		c.publish.MustSend(also)
	}
}

// start runs a process that will die at the point, if one is named.
func (c *cell) start(point string) {
	env := []string{"SLUICE_FAULT_SIGNATURE_LIFE=" + shortLife.String()}
	if point != "" {
		env = append(env, "SLUICE_FAULT="+point+"@1=kill")
	}
	c.consumer.Start(env...)
}

// dies waits for the process to end by its own hand.
func (c *cell) dies(point string) {
	c.Helper()
	var answered time.Time
	for !c.consumer.ExitsWithin(500 * time.Millisecond) {
		switch {
		case answered.IsZero() && c.answered():
			answered = time.Now()
		case !answered.IsZero() && time.Since(answered) > 10*time.Second:
			c.survived(point) // the last points are passed after the answer, and soon
		}
	}
	if !c.consumer.WaitExit() {
		c.Fatalf("the process ended otherwise than by SIGKILL")
	}
	c.died = time.Now()
}

// survived ends a cell whose process never passed the point.
func (c *cell) survived(point string) {
	c.Helper()
	if c.point.first != "" && c.proof() == byStatus && !c.seenAtWork() {
		c.Skip("the work was over before the second process could look at it: the machine is too busy")
	}
	c.Fatalf("the command is answered and the process lives: it never passes %s", point)
}

func (c *cell) fault(f emulator.Fault) {
	c.Helper()
	f.Vendor = emulator.Vendor(c.offer.Facts.Name)
	if _, err := c.clouds.SetFault(f); err != nil {
		c.Fatal(err)
	}
}

// report adds the cell to its point's row.
func (c *cell) report(tally rig.Tally) {
	injected := 1
	if c.point.first != "" {
		injected = 2
	}
	rig.Add(rig.Row{Fault: c.point.title(), Injected: injected, Tally: tally, Recovery: c.recovery()})
}

// recovery is the time from the last death to the next final result.
func (c *cell) recovery() time.Duration {
	c.Helper()
	read, err := c.results.Read(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	return rig.Recovery(read, c.died)
}
