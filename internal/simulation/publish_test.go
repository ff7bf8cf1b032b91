package simulation

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// expiries are the accounts' configured ages.
var expiries = map[string]time.Duration{"urgent": 2 * time.Minute, "normal": 5 * time.Minute, "bulk": 10 * time.Minute}

// asked is one stored event and what is known of it beforehand.
type asked struct {
	id, token, account, region, instance, priority string
	op                                             vendors.Operation
	backup                                         string
	expires                                        time.Duration // after storing; zero: by priority
	dry, timed, batched                            bool
	// bad says what is wrong with it; a dead letter if it is no event.
	bad        string
	deadLetter bool
	// rival is the command whose token it reuses for other work; at is when it is
	// planned to be stored.
	rival *asked
	at    time.Duration
	// shared numbers are set when it is stored.
	stored time.Time
	copies int
	body   []byte
	intake bool
}

// work is what makes two commands the same work.
func (a *asked) work() string {
	return strings.Join([]string{a.account, a.region, a.instance, string(a.op), a.backup}, "|")
}

// key identifies the event.
func (a *asked) key() string { return "/sim\n" + a.id }

// publish plans n commands over a time.
func (p *plan) publish(c *chance, n int, over time.Duration) {
	var before []*asked
	for i := 0; i < n; i++ {
		d := c.fixed("command", itoa(i))
		at := d.between(0, 0, over)
		q := p.one(d, i, before)
		if d.hits(1, 0.3) || q.batched && d.hits(5, 0.5) { // in bursts
			at = over / 6 * time.Duration(d.below(2, 6))
		}
		if q.rival != nil && q.rival.expires > 0 { // while that may still expire
			at = q.rival.at + d.between(7, 0, q.rival.expires)
		}
		q.at = at
		before = append(before, q)
		pub := publication{at: at, asks: []*asked{q}}
		twice := d.hits(3, 0.04)
		// An event without a time expires by the time of its receipt, so that its
		// copies would not be of one mind.
		q.timed = twice || d.hits(4, 0.5)
		p.wrap(d, &pub)
		p.publications = append(p.publications, pub)
		if twice { // the same event once more
			again := pub
			again.at += c.fixed("copy", itoa(i)).between(0, 0, 30*time.Second)
			p.publications = append(p.publications, again)
		}
	}
	slices.SortStableFunc(p.publications, func(a, b publication) int { return int(a.at - b.at) })
}

// soon is a short time for a command to start in.
func (l luck) soon() time.Duration { return l.between(18, time.Second, 30*time.Second) }

// hurry gives a command a short time, or not.
func (a *asked) hurry(d luck) {
	if d.hits(31, 0.3) {
		a.expires = d.soon()
	}
}

// rival chooses whose token is reused: half the time that of a command with little time,
// which may leave it free.
func rival(d luck, before []*asked) *asked {
	if d.hits(32, 0.5) {
		hasty := slices.DeleteFunc(slices.Clone(before), func(a *asked) bool { return a.expires <= 0 })
		if len(hasty) > 0 {
			return hasty[d.below(33, len(hasty))]
		}
	}
	return before[d.below(17, len(before))]
}

// one makes one command.
func (p *plan) one(d luck, i int, before []*asked) *asked {
	acc := &p.accounts[d.below(10, len(p.accounts))]
	q := &asked{
		id: fmt.Sprintf("e%d", i), token: fmt.Sprintf("tok-%d", i), account: acc.name, region: acc.regions[d.below(11, len(acc.regions))],
		instance: fmt.Sprintf("i-%d", d.below(12, 6)), op: acc.operations[d.below(13, len(acc.operations))],
		priority: events.Priorities()[d.below(14, 3)],
	}
	if acc.together > 1 { // a batch job: more instances, mostly bulk
		q.instance = fmt.Sprintf("i-%d", d.below(12, 12))
		if q.batched = d.hits(19, 0.6); q.batched {
			q.priority = "bulk"
		}
	}
	if q.op == vendors.Restore {
		q.backup = fmt.Sprintf("b%d", d.below(15, 3))
	}
	x := d.part(16)
	take := func(share float64) bool { x -= share; return x < 0 }
	switch {
	case take(0.12) && len(before) > 0: // a duplicate
		first := before[d.below(17, len(before))]
		if first.bad == "" && !first.dry {
			id, prio := q.id, q.priority
			*q = *first
			q.id, q.priority, q.copies, q.expires, q.rival = id, prio, 0, 0, nil
			q.hurry(d)
		}
	case take(0.04) && len(before) > 0: // a token reused
		if first := rival(d, before); first.bad == "" && !first.dry {
			q.token, q.rival = first.token, first
			q.hurry(d)
		}
	case take(0.02):
		q.expires = -time.Minute
	case take(0.07):
		q.expires = d.soon()
	case take(0.02):
		q.bad, q.deadLetter = "not_cloudevent", true
	case take(0.02):
		q.bad = "invalid_data"
	case take(0.015):
		q.bad = "unknown_region"
		q.region = "r9"
	case take(0.02):
		q.bad = "subject_mismatch"
	case take(0.02):
		for _, op := range events.Operations() {
			switch known := vendors.Operation(op); {
			case !slices.Contains(acc.offered, known):
				q.bad, q.op = "operation_unsupported", known
			case !slices.Contains(acc.operations, known):
				q.bad, q.op = "operation_not_allowed", known
			}
		}
		q.backup = ""
		if q.op == vendors.Restore {
			q.backup = "b1"
		}
	case take(0.02):
		q.dry = true
	case take(0.02):
		q.instance = missingInstance
	}
	return q
}

// wrap makes the message of a command: on its lane or on the intake.
func (p *plan) wrap(d luck, pub *publication) {
	q := pub.asks[0]
	q.body = p.body(q)
	pub.data = q.body
	lane := events.Lane{Vendor: p.vendorOf(q.account), Account: q.account, Region: q.region, Operation: string(q.op), Priority: q.priority}
	pub.subject = subjects.Lane(lane)
	if q.bad == "subject_mismatch" {
		lane.Priority = map[string]string{"urgent": "normal", "normal": "bulk", "bulk": "urgent"}[q.priority]
		pub.subject = subjects.Lane(lane)
		return
	}
	if d.hits(20, 0.1) {
		pub.subject, q.intake = subjects.Intake(), true
		if d.hits(21, 0.4) && !q.deadLetter {
			pub.header = broker.Header{"Content-Type": {"application/cloudevents-batch+json"}}
			pub.data = bytes.Join([][]byte{[]byte("["), q.body, []byte("]")}, nil)
		}
	}
}

func (p *plan) vendorOf(account string) string {
	for i := range p.accounts {
		if p.accounts[i].name == account {
			return p.accounts[i].vendor
		}
	}
	return ""
}

// body is the event in structured mode. Its times are written when it is stored.
func (p *plan) body(q *asked) []byte {
	if q.deadLetter {
		return fmt.Appendf(nil, "no event: %s", q.id)
	}
	parameters := ""
	if q.backup != "" {
		parameters = fmt.Sprintf(`,"parameters":{"backupId":%q}`, q.backup)
	}
	if q.bad == "invalid_data" {
		parameters = `,"surprise":1`
	}
	if q.dry {
		parameters += `,"dryRun":true`
	}
	expiry := ""
	if q.expires != 0 {
		expiry = `"expirytime":"@EXPIRY@",`
	}
	if q.timed {
		expiry += `"time":"@TIME@",`
	}
	return fmt.Appendf(nil, `{"specversion":"1.0","type":"dev.sluice.command.%s.v1","source":"/sim","id":%q,%s"data":{"clientToken":%q,"vendor":%q,"account":%q,"region":%q,"instanceId":%q,"priority":%q%s}}`,
		q.op, q.id, expiry, q.token, p.vendorOf(q.account), q.account, q.region, q.instance, q.priority, parameters)
}

// publish stores a planned message.
func (w *world) publishPlanned(pub *publication) {
	now := time.Now()
	data := pub.data
	for _, q := range pub.asks {
		if q.copies == 0 {
			q.stored = now
			w.asked = append(w.asked, q)
		}
		q.copies++
		if q.expires != 0 {
			data = bytes.ReplaceAll(data, []byte("@EXPIRY@"), []byte(q.stored.Add(q.expires).UTC().Format(time.RFC3339Nano)))
		}
		if q.timed {
			data = bytes.ReplaceAll(data, []byte("@TIME@"), []byte(q.stored.UTC().Format(time.RFC3339Nano)))
		}
		if q.deadLetter {
			q.body = data
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.store(pub.subject, "", pub.header, data)
}

// way says if an event that was stored more than once came by the intake.
func (a *asked) way() string {
	if a.copies > 1 && a.intake {
		return " through the intake"
	}
	return ""
}

// deadline is when the command may no longer start.
func (a *asked) deadline() time.Time {
	if a.expires != 0 {
		return a.stored.Add(a.expires)
	}
	return a.stored.Add(expiries[a.priority])
}
