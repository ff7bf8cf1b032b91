package broker

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Severity says what a finding means for the start.
type Severity string

const (
	// Warn lets the consumer start: a promise is weaker than configured.
	Warn Severity = "warn"
	// Refuse does not: a promise cannot be kept.
	Refuse Severity = "refuse"
)

// Finding is something about the server or its streams that is not as it should
// be and that Setup cannot or must not change by itself.
type Finding struct {
	Severity Severity
	// What is wrong.
	What string
	// WayOut is what an operator can do about it.
	WayOut string
}

// String is the finding as one line.
func (f Finding) String() string { return fmt.Sprintf("%s: %s; %s", f.Severity, f.What, f.WayOut) }

// compare returns what an existing stream should be updated to, whether that is a
// change, and what is wrong with it beyond that. Only what loses nothing is
// changed: subjects, ages of buckets, the duplicate window, direct reads, more
// replicas, more consumers, batches, and refusing new commands instead of dropping
// old ones.
func compare(want, have jetstream.StreamConfig) (update jetstream.StreamConfig, change bool, found []Finding) {
	update = have
	if !sameSet(want.Subjects, have.Subjects) {
		update.Subjects, change = want.Subjects, true
	}
	if isBucket(want.Name) && want.MaxAge != have.MaxAge {
		update.MaxAge, change = want.MaxAge, true
		update.Duplicates = min(have.Duplicates, want.Duplicates)
	}
	if !isBucket(want.Name) && have.Duplicates < want.Duplicates && fits(want.Duplicates, have.MaxAge) {
		update.Duplicates, change = want.Duplicates, true
	}
	if want.AllowDirect && !have.AllowDirect {
		update.AllowDirect, change = true, true
	}
	if have.Replicas < want.Replicas {
		update.Replicas, change = want.Replicas, true
	}
	if have.MaxConsumers < want.MaxConsumers {
		update.MaxConsumers, change = want.MaxConsumers, true
	}
	if want.Discard == jetstream.DiscardNew && have.Discard != want.Discard {
		update.Discard, change = want.Discard, true
	}
	if want.AllowAtomicPublish && !have.AllowAtomicPublish && have.PersistMode != jetstream.AsyncPersistMode {
		update.AllowAtomicPublish, change = true, true
	}
	return update, change, append(lossy(want, have), strange(want, have)...)
}

// lossy finds storage that forgets what it acknowledged. Results and dead letters
// can be announced again; commands, records and leases cannot.
func lossy(want, have jetstream.StreamConfig) (found []Finding) {
	severity := Refuse
	if want.Retention == jetstream.LimitsPolicy && !isBucket(want.Name) {
		severity = Warn
	}
	if have.Storage != want.Storage {
		found = append(found, Finding{severity, fmt.Sprintf("stream %s is kept in memory and lost when the server restarts", have.Name),
			"back its messages up, delete it, and let the consumer create it on file"})
	}
	if have.PersistMode == jetstream.AsyncPersistMode {
		found = append(found, Finding{severity, fmt.Sprintf("stream %s acknowledges before it has written (persist mode async)", have.Name),
			"make the stream anew with the default persist mode"})
	}
	return found
}

// strange finds settings that change what the stream is.
func strange(want, have jetstream.StreamConfig) (found []Finding) {
	add := func(s Severity, wayOut, format string, args ...any) {
		found = append(found, Finding{s, fmt.Sprintf(format, args...), wayOut})
	}
	if have.Retention != want.Retention {
		add(Refuse, "delete the stream once it is empty, or choose another prefix",
			"stream %s has retention %s, not %s", have.Name, have.Retention, want.Retention)
	}
	if have.NoAck {
		add(Refuse, "switch its acknowledgements on (no_ack: false)", "stream %s acknowledges nothing", have.Name)
	}
	if have.Sealed {
		add(Refuse, "delete the stream or choose another prefix", "stream %s is sealed and takes nothing", have.Name)
	}
	if have.Mirror != nil || len(have.Sources) > 0 {
		add(Refuse, "choose another prefix", "stream %s is a copy of other streams", have.Name)
	}
	if want.Retention != jetstream.WorkQueuePolicy {
		return found
	}
	if have.MaxAge > 0 {
		add(Warn, "set its max_age to 0: commands have an expiry of their own and get an answer",
			"stream %s drops commands unanswered after %s", have.Name, have.MaxAge)
	}
	if have.MaxMsgsPerSubject > 0 && !have.DiscardNewPerSubject {
		add(Refuse, "set its max_msgs_per_subject to -1",
			"stream %s drops the oldest command of a lane beyond %d", have.Name, have.MaxMsgsPerSubject)
	}
	return found
}

func isBucket(stream string) bool { return strings.HasPrefix(stream, bucketStream("")) }

// fits reports whether a duplicate window is allowed beside a maximum age.
func fits(window, maxAge time.Duration) bool { return maxAge <= 0 || window <= maxAge }

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
