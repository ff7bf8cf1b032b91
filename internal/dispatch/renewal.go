package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seed-7b870224/sluice/internal/broker"
)

// renewalsAtOnce bounds the renewals under way together.
const renewalsAtOnce = 32

// errUnsettled: a compare-and-set failed, yet the value is the expected one.
var errUnsettled = errors.New("another write of the key is under way")

// renewal is what became of one attempt to renew a lease.
type renewal struct {
	key      string
	revision uint64
	// asked is when the write that is stored was sent: the lease counts from
	// there.
	asked time.Time
	err   error
}

// renew renews the presence and every lease, and gives up those that ran out.
func (ls *leases) renew(ctx context.Context) {
	// One that has ended here is not revived, though the broker may still have
	// it: what was held under it has been let go.
	ls.expire(ctx, time.Now())
	bounded, cancel := context.WithTimeout(ctx, ls.ttl/4)
	defer cancel()
	if !ls.stopping {
		if revision, _, err := ls.put(bounded, replicaPrefix+ls.replica, ls.presence); err == nil {
			ls.presence = revision
		} else if errors.Is(err, broker.ErrConflict) {
			ls.presence = 0 // it ran out: made anew next time
		}
	}
	for _, r := range ls.renewals(bounded) {
		l := ls.mine[r.key]
		switch {
		case r.err == nil:
			l.revision, l.failure = r.revision, nil
			l.extend(r.asked.Add(ls.ttl - ls.margin()))
		case errors.Is(r.err, broker.ErrConflict):
			ls.log.Warn("lease lost: another replica has it, or it ran out at the broker; nothing more is sent for the account", "lease", r.key)
			ls.drop(ctx, r.key, leaseLost)
		default:
			l.failure = r.err
		}
	}
	ls.expire(ctx, time.Now())
}

// renewals writes all lease keys, many at a time.
func (ls *leases) renewals(ctx context.Context) []renewal {
	var mu sync.Mutex
	var out []renewal
	var all errgroup.Group
	all.SetLimit(renewalsAtOnce)
	for key, l := range ls.mine {
		known := l.revision
		all.Go(func() error {
			revision, asked, err := ls.put(ctx, key, known)
			mu.Lock()
			defer mu.Unlock()
			out = append(out, renewal{key, revision, asked, err})
			return nil
		})
	}
	_ = all.Wait()
	return out
}

// expire forgets leases that have run out here and others' that must have run
// out at the broker.
func (ls *leases) expire(ctx context.Context, now time.Time) {
	for key, l := range ls.mine {
		if !l.valid() {
			ls.log.Warn("lease ran out before it could be renewed; nothing more is sent for the account", "lease", key, "error", l.failure)
			ls.drop(ctx, key, leaseExpired)
		}
	}
	for key, s := range ls.others {
		if now.Sub(s.at) > ls.ttl+ls.ttl/8 {
			delete(ls.others, key)
		}
	}
}

// put creates or updates a key of ours and tells when the write that is stored
// was sent. A conflict with our own earlier write, whose confirmation was lost,
// is no end: but the lease counts from a write that is confirmed, so it writes
// again.
func (ls *leases) put(ctx context.Context, key string, revision uint64) (next uint64, asked time.Time, err error) {
	for {
		asked = time.Now()
		next, err = ls.write(ctx, key, revision)
		if !errors.Is(err, broker.ErrConflict) {
			return next, asked, err
		}
		own, getErr := ls.ownWrite(ctx, key, err)
		if getErr != nil {
			return 0, asked, getErr
		}
		if own == revision {
			// In the way is a write that is stored nowhere yet, in a cluster
			// perhaps an earlier one of ours: not settled, and no end either.
			return 0, asked, errUnsettled
		}
		revision = own
	}
}

func (ls *leases) write(ctx context.Context, key string, revision uint64) (uint64, error) {
	value, err := json.Marshal(leaseValue{Replica: ls.replica, Renewed: revision + 1})
	if err != nil {
		return 0, err
	}
	if revision == 0 {
		return ls.kv.Create(ctx, key, value)
	}
	return ls.kv.Update(ctx, key, value, revision)
}

// ownWrite tells a conflict with our own write from one with another replica's.
func (ls *leases) ownWrite(ctx context.Context, key string, conflict error) (uint64, error) {
	e, err := ls.kv.Get(ctx, key)
	if errors.Is(err, broker.ErrNotFound) {
		return 0, conflict // it expired at the broker
	}
	if err != nil {
		return 0, err
	}
	var v leaseValue
	if json.Unmarshal(e.Value, &v) == nil && v.Replica == ls.replica {
		return e.Revision, nil
	}
	return 0, conflict
}

// drop ends our service of an account whose lease is no longer ours.
func (ls *leases) drop(ctx context.Context, key, why string) {
	if l := ls.mine[key]; l != nil {
		l.extend(l.epoch)
	}
	delete(ls.mine, key)
	ls.changed(key, why)
	ls.close(ctx, key)
}

// take tries to get a free account.
func (ls *leases) take(ctx context.Context, key string) {
	bounded, cancel := context.WithTimeout(ctx, ls.ttl/4)
	defer cancel()
	l := newLease()
	freed := ls.freed[key]
	delete(ls.freed, key)
	revision, asked, err := ls.put(bounded, key, freed.revision)
	if err != nil {
		if errors.Is(err, broker.ErrConflict) && freed.revision > 0 {
			return // somebody else was quicker, or it has run out: then it is made anew
		}
		if errors.Is(err, broker.ErrConflict) {
			// Somebody holds it of whom nothing was heard yet. If that is a dead
			// replica's lease, nothing ever will be: it is tried again soon.
			ls.others[key] = sighting{at: asked.Add(-ls.ttl)}
		}
		return
	}
	l.revision = revision
	l.extend(asked.Add(ls.ttl - ls.margin()))
	ls.mine[key] = l
	ls.log.Info("lease taken", "lease", key)
	ls.changed(key, leaseTaken)
	ls.gained(key, l, freed.spent)
}

// handBack frees an account in the background, so that others see at once that it is
// free, and what of its quotas was spent of late. It runs out by itself.
func (ls *leases) handBack(ctx context.Context, r atRest, revision uint64) {
	ls.freeing.Go(func() {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		value, err := json.Marshal(leaseValue{Renewed: revision + 1, Spent: r.spent})
		if err == nil {
			_, err = ls.kv.Update(bounded, r.key, value, revision)
		}
		ls.tellFreed(r.key, err)
	})
}

// free deletes a presence key in the background.
func (ls *leases) free(ctx context.Context, key string, revision uint64) {
	ls.freeing.Go(func() {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		ls.tellFreed(key, ls.kv.Delete(bounded, key, revision))
	})
}

func (ls *leases) tellFreed(key string, err error) {
	if err != nil && !errors.Is(err, broker.ErrNotFound) {
		ls.log.Warn("lease could not be freed; it runs out by itself", "lease", key, "error", err)
		return
	}
	ls.log.Info("lease handed back", "lease", key)
}

// leave frees the presence.
func (ls *leases) leave(ctx context.Context) {
	if ls.presence != 0 {
		ls.free(ctx, replicaPrefix+ls.replica, ls.presence)
	}
}
