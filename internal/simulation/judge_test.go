package simulation

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/ledger"
)

// verdict is what the checker found to be broken.
type verdict struct {
	w      *world
	book   *book
	broken []breach
}

// breach is one broken promise.
type breach struct {
	promise, facts, trace string
}

// String is the breach for a person.
func (b breach) String() string { return b.promise + ": " + b.facts + "\n" + b.trace }

// judge checks a finished run. It reads only the world's records.
func judge(w *world) *verdict {
	v := &verdict{w: w, book: newBook(w)}
	v.answered()
	v.truthful()
	v.once()
	v.intentFirst()
	v.quota()
	v.oneAtATime()
	v.nothingSilent()
	if *verbose {
		for _, q := range w.asked {
			fmt.Println(v.trace(q.token))
		}
	}
	return v
}

func (v *verdict) breaks(promise, token, facts string, args ...any) {
	v.broken = append(v.broken, breach{promise, fmt.Sprintf(facts, args...), v.trace(token)})
}

// book is the world's records, sorted for checking.
type book struct {
	finals map[string][]final // by event
	token  map[string][]*asked
	event  map[string]*asked
	record map[string]*tokenRecord
	sends  map[string][]*send
}

// final is one stored final result.
type final struct {
	id, status, code string
	message          string
	duplicate, dry   bool
	at               time.Time
	by               string
}

// tokenRecord is a token's history in the ledger.
type tokenRecord struct {
	versions []version
	// ended is when an outcome was stored; zero if none was.
	ended time.Time
}

type version struct {
	ledger.Record
	at      time.Time
	by      string
	deleted bool
}

// last is the newest version, or nil if there is none or it was removed.
func (r *tokenRecord) last() *version {
	if r == nil || len(r.versions) == 0 || r.versions[len(r.versions)-1].deleted {
		return nil
	}
	return &r.versions[len(r.versions)-1]
}

func newBook(w *world) *book {
	b := &book{finals: map[string][]final{}, token: map[string][]*asked{}, event: map[string]*asked{},
		record: map[string]*tokenRecord{}, sends: map[string][]*send{}}
	for _, q := range w.asked {
		b.token[q.token] = append(b.token[q.token], q)
		b.event[q.key()] = q
	}
	w.tally = map[string]int{}
	for _, a := range w.results.all {
		b.result(w, a)
	}
	for token := range b.token {
		b.record[token] = recordOf(w.ledger.history[ledger.Key(events.TokenKey(token))])
	}
	for _, s := range w.sends {
		b.sends[s.token] = append(b.sends[s.token], s)
	}
	return b
}

func (b *book) result(w *world, a answer) {
	var e struct {
		ID   string        `json:"id"`
		Data events.Result `json:"data"`
	}
	if json.Unmarshal(a.Data, &e) != nil || !e.Data.Final {
		return
	}
	f := final{id: e.ID, status: e.Data.Status, duplicate: e.Data.Duplicate, dry: e.Data.DryRun, at: a.at, by: a.by}
	if e.Data.Reason != nil {
		f.code, f.message = e.Data.Reason.Code, e.Data.Reason.Message
	}
	key := e.Data.Command.Source + "\n" + e.Data.Command.ID
	b.finals[key] = append(b.finals[key], f)
	w.tally[f.said()]++
}

func (f final) said() string {
	if f.code == "" {
		return f.status
	}
	return f.status + "/" + f.code
}

func recordOf(history []written) *tokenRecord {
	r := &tokenRecord{}
	for _, h := range history {
		v := version{at: h.Created, by: h.by, deleted: h.Deleted}
		if !h.Deleted && json.Unmarshal(h.Value, &v.Record) != nil {
			continue
		}
		r.versions = append(r.versions, v)
		if v.State == ledger.Final && r.ended.IsZero() {
			r.ended = h.Created
		}
	}
	return r
}

// firstEvent is the event whose command holds the record.
func (v *version) firstEvent() string {
	var c events.Command
	_ = json.Unmarshal(v.Command, &c)
	return c.Event.Source + "\n" + c.Event.ID
}

// trace is everything that happened to a token, in order.
func (v *verdict) trace(token string) string {
	if v.book.record[token] == nil {
		return "" // the breach is of no one token
	}
	var lines []traced
	note := func(at time.Time, format string, args ...any) {
		if !at.IsZero() {
			lines = append(lines, traced{at.Sub(v.w.began), fmt.Sprintf(format, args...)})
		}
	}
	for _, q := range v.book.token[token] {
		note(q.stored, "asked %s (%d copies) %s %s, expires %v, bad %q", q.id, q.copies, q.priority, q.work(), q.deadline().Sub(v.w.began), q.bad)
		for _, f := range v.book.finals[q.key()] {
			note(f.at, "result %s %s duplicate=%t to %s, by %s: %s", f.id, f.said(), f.duplicate, q.id, f.by, f.message)
		}
	}
	for _, r := range v.book.record[token].versions {
		note(r.at, "ledger %s attempts=%d writer=%s/%d by %s%s", r.State, r.Attempts, r.Writer, r.Write, r.by, map[bool]string{true: " removed"}[r.deleted])
	}
	for _, s := range v.book.sends[token] {
		note(s.agreed, "  commit of %s agreed; lease is %q's", s.replica, s.owner)
		note(s.left, "  call of %s for %q left for %s, signed %v", s.replica, s.tokens(), s.instance, s.signedAt.Sub(v.w.began))
		note(s.landed, "  call of %s landed: effect=%t late=%t", s.replica, s.effect, s.late)
		note(s.answered, "  %s has the answer %s", s.replica, s.verdict.Kind)
	}
	for _, f := range v.w.findings {
		if f.token == token {
			note(f.at, "  found by %s: conclusion %d", f.replica, f.conclusion)
		}
	}
	slices.SortStableFunc(lines, func(a, b traced) int { return int(a.at - b.at) })
	var out strings.Builder
	fmt.Fprintf(&out, "history of %s:\n", token)
	for _, l := range lines {
		fmt.Fprintf(&out, "  %14v %s\n", l.at, l.what)
	}
	return out.String()
}

type traced struct {
	at   time.Duration
	what string
}
