package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/emulator"
	"github.com/seed-7b870224/sluice/internal/events"
)

// screenplay is the demonstration's script and what came of it.
type screenplay struct {
	s        std
	c        *consumer
	clouds   *emulator.Server
	output   string
	subjects events.Subjects
	scenes   []*scene
	answered int
}

// scene is one thing that is published.
type scene struct {
	// what says to a person what is asked and why.
	what string
	// draft is the command; raw, if set, is published instead of an event.
	draft events.Draft
	raw   string
	// after names the scene that must be answered first.
	after *scene

	sent   bool
	cmd    events.Command
	result events.ResultEvent
	dead   string
	done   bool
}

const (
	demoHuawei = "2e803f66-fbb0-47ad-b6cb-fb87f5bed4"
	demoRedis  = "redis-cn0demo"
	demoCRS    = "crs-demo"
)

// newScreenplay writes the script: the eleven operations, then what goes wrong.
func newScreenplay(s std, c *consumer, clouds *emulator.Server, output string) *screenplay {
	p := &screenplay{s: s, c: c, clouds: clouds, output: output, subjects: events.Subjects{Prefix: c.conf.NATS.Prefix}}
	on := func(vendor, account, region string) func(op, instance, what string, change ...func(*events.Draft)) *scene {
		return func(op, instance, what string, change ...func(*events.Draft)) *scene {
			d := events.Draft{Operation: op, Vendor: vendor, Account: account, Region: region, InstanceID: instance, Source: "/demo"}
			d.ID = fmt.Sprintf("demo-%02d", len(p.scenes)+1)
			d.Token = d.ID
			for _, f := range change {
				f(&d)
			}
			sc := &scene{what: what, draft: d}
			p.scenes = append(p.scenes, sc)
			return sc
		}
	}
	volc, hw := on("volcengine", "demo-volc", "cn-beijing"), on("huawei", "demo-hw", "cn-north-4")
	tc, tcFlush, crs := on("tencent", "demo-tc", "ap-guangzhou"), on("tencent", "demo-tc-flush", "ap-guangzhou"), on("tencent-crs", "demo-crs", "gz")
	backup := func(id string) func(*events.Draft) { return func(d *events.Draft) { d.BackupID = id } }
	password := func(d *events.Draft) { d.Password = &events.Password{SecretRef: "crs-password"} }
	token := func(sc *scene) func(*events.Draft) { return func(d *events.Draft) { d.Token = sc.draft.Token } }

	first := volc("restart", demoRedis+"1", "restart")
	volc("flush", demoRedis+"2", "flush")
	volc("restore", demoRedis+"3", "restore a backup", backup("b-0001"))
	volc("restore", demoRedis+"4", "restore a point in time", func(d *events.Draft) { d.TimePoint = time.Now().Add(-time.Hour).Truncate(time.Second) })
	hw("restart", demoHuawei+"01", "restart")
	hw("soft_restart", demoHuawei+"02", "soft restart")
	hw("flush", demoHuawei+"03", "flush")
	hw("restore", demoHuawei+"04", "restore a backup", backup("b0000000-0000-4000-8000-000000000001"))
	tcFlush("flush", demoCRS+"1", "flush")
	tc("restore", demoCRS+"2", "restore a backup", backup("678362566696298532848117"))
	crs("flush", demoCRS+"3", "flush", password)
	crs("restore", demoCRS+"4", "restore a backup", backup("e824aecc-ef5e-11e6-a2c7-525400082493"), password)

	volc("restart", demoRedis+"1", "the same token again: not done twice", token(first)).after = first
	volc("restart", demoRedis+"9", "a token that names other work", token(first)).after = first
	tc("restart", demoCRS+"5", "an operation the vendor lacks")
	tc("flush", demoCRS+"5", "an operation that is not switched on")
	volc("restart", demoRedis+"5", "a command whose time has passed", func(d *events.Draft) { d.Expires = time.Now().Add(-time.Minute) })
	volc("restart", "redis-missing1", "an instance that does not exist")
	volc("restore", demoRedis+"6", "a backup that does not exist", backup("b-missing"))
	volc("flush", demoRedis+"7", "the vendor refuses the call")
	volc("restart", demoRedis+"8", "a dry run", func(d *events.Draft) { d.DryRun = true })
	p.scenes = append(p.scenes, &scene{what: "bytes that are no event", raw: "restart everything, please"})
	return p
}

// run plays the script and prints the answers.
func (p *screenplay) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, demoTimeout)
	defer cancel()
	if err := p.play(ctx); err != nil {
		return fmt.Errorf("demo: %w; not answered: %s", err, strings.Join(p.open(), ", "))
	}
	p.print()
	return nil
}

// open names the scenes that have no answer.
func (p *screenplay) open() []string {
	var out []string
	for _, sc := range p.scenes {
		if !sc.done {
			out = append(out, sc.draft.Vendor+" "+sc.what)
		}
	}
	return out
}

// play publishes the scenes and hears their answers.
func (p *screenplay) play(ctx context.Context) error {
	for !p.c.prepared.Load() {
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	if _, err := p.clouds.SetFault(emulator.Fault{
		Kind: emulator.FaultErrorBefore, Vendor: emulator.Volcengine, Action: "FlushDBInstance", Instance: demoRedis + "7",
		Status: 400, Code: "InvalidInstanceType", Message: "The instance type does not support this operation.",
	}); err != nil {
		return err
	}
	results, err := p.c.conn.Results(ctx, broker.ResultFilter{New: true})
	if err != nil {
		return err
	}
	if err := p.publish(ctx); err != nil {
		return err
	}
	for p.answered < len(p.scenes) {
		p.progress()
		select {
		case m, ok := <-results:
			if !ok {
				return context.Cause(ctx)
			}
			p.hear(m)
			if err := p.publish(ctx); err != nil {
				return err
			}
		case <-time.After(200 * time.Millisecond):
			if err := p.lookForDeadLetter(ctx); err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// publish sends every scene whose turn has come.
func (p *screenplay) publish(ctx context.Context) error {
	for _, sc := range p.scenes {
		if sc.sent || sc.after != nil && !sc.after.done {
			continue
		}
		sc.sent = true
		raw, subject := []byte(sc.raw), p.subjects.Intake()
		if sc.raw == "" {
			var err error
			if sc.cmd, raw, err = sc.draft.Event(time.Now()); err != nil {
				return fmt.Errorf("demo: %s: %w", sc.what, err)
			}
			subject = p.subjects.Lane(events.Lane{Vendor: sc.cmd.Vendor, Account: sc.cmd.Account, Region: sc.cmd.Region,
				Operation: sc.cmd.Operation, Priority: sc.cmd.Priority})
		}
		if err := p.c.conn.Publish(ctx, broker.Outgoing{Subject: subject, Data: raw}); err != nil {
			return fmt.Errorf("demo: publish: %w", err)
		}
	}
	return nil
}

// hear takes a result in.
func (p *screenplay) hear(m broker.ResultMessage) {
	e, err := events.DecodeResult(m.Data)
	if err != nil {
		return
	}
	if p.output == "json" {
		_ = writeEvent(p.s.out, m.Data)
	}
	for _, sc := range p.scenes {
		if sc.raw == "" && sc.draft.ID == e.CausationID && e.Data.Final && !sc.done {
			sc.result, sc.done = e, true
			p.answered++
		}
	}
}

// lookForDeadLetter finds what became of the bytes that are no event.
func (p *screenplay) lookForDeadLetter(ctx context.Context) error {
	letters, err := p.c.conn.DeadLetters(ctx, 10)
	if err != nil {
		return err
	}
	for _, sc := range p.scenes {
		for _, l := range letters {
			if sc.raw != "" && !sc.done && string(l.Data) == sc.raw {
				sc.dead, sc.done = headerOf(l.Header, "Sluice-Reason")+": "+headerOf(l.Header, "Sluice-Detail"), true
				p.answered++
			}
		}
	}
	return nil
}

// progress shows one line that is written over, on terminals only.
func (p *screenplay) progress() {
	if isTerminal(p.s.err) {
		fmt.Fprintf(p.s.err, "\r\x1b[K%d of %d answered", p.answered, len(p.scenes))
	}
}

// print shows the table.
func (p *screenplay) print() {
	if isTerminal(p.s.err) {
		fmt.Fprint(p.s.err, "\r\x1b[K")
	}
	if p.output == "json" {
		return
	}
	fmt.Fprintf(p.s.out, "Sluice on an embedded NATS server and four emulated clouds: what was asked, what\nhappened at the vendor, what was answered.\n\n")
	t := &table{header: []string{"VENDOR", "ASKED", "INSTANCE", "AT THE VENDOR", "ANSWER", "BECAUSE"}}
	for _, sc := range p.scenes {
		if sc.raw != "" {
			t.row("-", sc.what, "-", "nothing", "dead letter", sc.dead)
			continue
		}
		t.row(sc.draft.Vendor, sc.what, shortID(sc.draft.InstanceID), p.atVendor(sc), sc.result.Data.Status, because(sc.result.Data))
	}
	t.print(p.s.out, colorOn(p.s.out))
	fmt.Fprintf(p.s.out, "\n%d commands answered; mutations without right at the vendors: %d.\n", len(p.scenes), p.clouds.Effects().ConcurrentEffects)
}

// atVendor is what the emulated cloud recorded of a scene.
func (p *screenplay) atVendor(sc *scene) string {
	var calls []string
	effects := 0
	for _, call := range p.clouds.Calls(emulator.Filter{Vendor: emulator.Vendor(sc.draft.Vendor), Instance: sc.draft.InstanceID, Mutations: true}) {
		calls = append(calls, call.Action)
		if call.Effect {
			effects++
		}
	}
	switch {
	case len(calls) == 0:
		return "nothing"
	case effects == 0:
		return strings.Join(calls, ", ") + ", refused"
	case effects == 1:
		return calls[0] + ", once"
	}
	return fmt.Sprintf("%s, %d times", calls[0], effects)
}

// because is the reason in few words.
func because(r events.Result) string {
	switch {
	case r.Plan != nil:
		return "would send " + r.Plan.Action
	case r.Duplicate:
		return "duplicate: the first outcome again"
	case r.Reason != nil:
		return r.Reason.Code
	case r.VendorResponse != nil && r.VendorResponse.TaskID != "":
		return "task " + shortID(r.VendorResponse.TaskID)
	}
	return ""
}

// shortID cuts long ids for the table.
func shortID(id string) string {
	if len(id) <= 18 {
		return id
	}
	return id[:6] + "…" + id[len(id)-8:]
}

// pause waits, or returns the context's cause.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
