package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/emulator"
	"github.com/seed-7b870224/sluice/internal/events"
)

// lostAnswer is one cell of the matrix: an answer that gets lost in one way.
type lostAnswer struct {
	name                                 string
	vendor, operation, account, instance string
	clouds                               *emulator.Server
	ran                                  bool
	want                                 ending
	look                                 string
	finals                               []events.Result
}

// Every operation of every vendor, in every way in which its answer can get
// lost, through one running consumer: what the tables of this test say, and
// never more than one effect.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	var accounts strings.Builder
	var cells []*lostAnswer
	for _, c := range lossyClouds {
		clouds, url := lossyCloud(t, c.quirks)
		for _, vendor := range c.vendors {
			accounts.WriteString(lossyAccount(c.name, vendor, url))
			cells = append(cells, loseAnswers(t, clouds, c.name, vendor, len(cells))...)
		}
	}
	d := newLossyDaemon(t, 30*time.Second, accounts.String())
	d.startFaulty("")
	conn := d.connect()
	var instances []string
	for _, c := range cells {
		d.ask(conn, c.operation, c.vendor, c.account, c.instance, c.instance)
		instances = append(instances, c.instance)
	}
	finals := d.finals(conn, instances...)
	for _, c := range cells {
		c.finals = finals[c.instance]
		t.Run(c.name, func(t *testing.T) { c.check(t) })
	}
}

// loseAnswers makes the cells of one vendor and sets the fault of each.
func loseAnswers(t *testing.T, clouds *emulator.Server, account, vendor string, from int) (cells []*lostAnswer) {
	t.Helper()
	for _, s := range showable {
		if s.vendor != vendor {
			continue
		}
		for _, l := range losses {
			c := &lostAnswer{
				name:   strings.Join([]string{account, vendor, s.operation, l.name}, "/"),
				vendor: vendor, operation: s.operation, account: account, instance: fmt.Sprintf("lost-%03d", from+len(cells)),
				clouds: clouds, ran: l.ran, want: s.nothing, look: s.look,
			}
			if l.ran {
				c.want = s.ran
			}
			cells = append(cells, c)
			if _, err := clouds.SetFault(emulator.Fault{
				Kind: l.kind, Vendor: emulator.Vendor(vendor), Operation: emulator.Operation(s.operation), Instance: c.instance,
				Times: 1, Delay: l.delay, Status: l.status,
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return cells
}

// check compares what was answered and what reached the vendor with the table.
func (c *lostAnswer) check(t *testing.T) {
	if len(c.finals) != 1 {
		t.Fatalf("%d final results: %+v", len(c.finals), c.finals)
	}
	got := c.finals[0]
	if got.Status != c.want.status || got.Attempts != c.want.calls {
		t.Errorf("%s after %d attempts (%+v), want %s after %d", got.Status, got.Attempts, got.Reason, c.want.status, c.want.calls)
	}
	calls := c.clouds.Calls(emulator.Filter{Vendor: emulator.Vendor(c.vendor), Instance: c.instance, Mutations: true})
	if len(calls) != c.want.calls {
		t.Errorf("the mutation was sent %d times, want %d: %+v", len(calls), c.want.calls, calls)
	}
	for _, call := range calls {
		if c.vendor == "volcengine" && call.Token != c.instance {
			t.Errorf("sent with the ClientToken %q, want the command's: %q", call.Token, c.instance)
		}
	}
	effects := 1
	if c.want.status == events.Indeterminate && !c.ran {
		effects = 0
	}
	if n := c.clouds.Effects().Total(c.instance, ""); n != effects {
		t.Errorf("%d effects, want %d", n, effects)
	}
	if c.want.status == events.Indeterminate {
		c.checkWords(t, got.Reason)
	}
}

// checkWords wants a person to be told what was compared and where to look.
func (c *lostAnswer) checkWords(t *testing.T, reason *events.Reason) {
	if reason == nil || reason.Code != events.ReasonOutcomeUnknown || reason.Hint == "" {
		t.Fatalf("reason %+v", reason)
	}
	for _, part := range []string{"Instance " + c.instance + " was ", ", before the call, and is ", c.look} {
		if !strings.Contains(reason.Message, part) {
			t.Errorf("the message does not say %q: %s", part, reason.Message)
		}
	}
}
