package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
)

// lease is this replica's right to serve one account. It is measured on our own
// monotonic clock from before the renewal was sent, so that it ends here before
// it can end at the broker, whatever wall clocks say.
type lease struct {
	// until is when the right ends, as nanoseconds since epoch.
	until atomic.Int64
	epoch time.Time
	// revision is the bucket's; used by the leases loop only.
	revision uint64
}

func newLease() *lease { return &lease{epoch: time.Now()} }

// extend moves the end of the lease.
func (l *lease) extend(until time.Time) { l.until.Store(int64(until.Sub(l.epoch))) }

// valid reports whether calls may still be sent under the lease. A nil lease is
// never valid.
func (l *lease) valid() bool { return l != nil && int64(time.Since(l.epoch)) < l.until.Load() }

// leases shares the accounts among the replicas.
//
// Every replica keeps a presence key and watches the bucket. An account without
// a lease is taken by whoever is below its even share and creates the key first;
// a replica above its share hands one account back, cleanly.
type leases struct {
	kv      broker.KV
	ttl     time.Duration
	replica string
	log     *slog.Logger
	// gained and lost are called by the loop and do not block it. lost calls
	// rested, from any goroutine, when the account has come to rest.
	gained func(key string, l *lease)
	lost   func(key string, rested func())

	keys     []string // of all configured accounts, "account.<vendor>.<name>"
	mine     map[string]*lease
	others   map[string]sighting // last news of others' leases and presences
	presence uint64
	// closing are the accounts that we have stopped serving and that are not at
	// rest yet; rested brings their keys back to the loop. An account that is
	// handed back keeps its lease renewed until then.
	closing map[string]bool
	rested  chan string
}

// sighting is what was last heard of a key.
type sighting struct {
	replica string
	at      time.Time
}

// leaseValue is what a lease or presence key holds.
type leaseValue struct {
	Replica string `json:"replica"`
	// Renewed counts renewals, so that every value differs.
	Renewed uint64 `json:"renewed"`
}

const (
	accountPrefix = "account."
	replicaPrefix = "replica."
)

// accountKey is the bucket's key of an account.
func accountKey(vendor, name string) string { return accountPrefix + vendor + "." + name }

// margin is how long before its end at the broker a lease ends here.
func (ls *leases) margin() time.Duration { return max(ls.ttl/4, time.Second) }

// run keeps leases until ctx ends, then returns; the leases are still held.
func (ls *leases) run(ctx context.Context) {
	tick := time.NewTicker(ls.ttl / 5)
	defer tick.Stop()
	news := ls.watch(ctx)
	quiet := time.After(300 * time.Millisecond) // news of others come first
	settled := false
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-news:
			if !ok {
				news = nil
				_ = sleep(ctx, 200*time.Millisecond)
				if ctx.Err() == nil {
					news = ls.watch(ctx)
				}
				continue
			}
			if e.Key == "" {
				settled = true
				ls.renew(ctx)
			} else {
				ls.heard(e)
			}
		case key := <-ls.rested:
			ls.atRest(ctx, key)
		case <-quiet:
			settled = true
			ls.renew(ctx)
		case <-tick.C:
			ls.renew(ctx)
		}
		if settled {
			ls.balance(ctx)
		}
	}
}

// watch follows the bucket, trying until that works.
func (ls *leases) watch(ctx context.Context) <-chan broker.Entry {
	for {
		news, err := ls.kv.Watch(ctx, ">")
		if err == nil {
			return news
		}
		if sleep(ctx, time.Second) != nil {
			return nil
		}
		ls.expire(ctx, time.Now())
	}
}

// heard notes news of a key.
func (ls *leases) heard(e broker.Entry) {
	if e.Deleted {
		delete(ls.others, e.Key)
		return
	}
	var v leaseValue
	if json.Unmarshal(e.Value, &v) != nil || v.Replica == ls.replica {
		delete(ls.others, e.Key)
		return
	}
	ls.others[e.Key] = sighting{v.Replica, time.Now()}
}

// renew renews the presence and every lease, and gives up those that ran out.
func (ls *leases) renew(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, ls.ttl/4)
	defer cancel()
	ls.presence, _ = ls.put(bounded, replicaPrefix+ls.replica, ls.presence)
	for key, l := range ls.mine {
		asked := time.Now()
		revision, err := ls.put(bounded, key, l.revision)
		switch {
		case err == nil:
			l.revision = revision
			l.extend(asked.Add(ls.ttl - ls.margin()))
		case errors.Is(err, broker.ErrConflict):
			ls.log.Warn("lease lost to another replica", "lease", key)
			ls.drop(ctx, key)
		}
	}
	ls.expire(ctx, time.Now())
}

// expire forgets leases that have run out here and others' that must have run
// out at the broker.
func (ls *leases) expire(ctx context.Context, now time.Time) {
	for key, l := range ls.mine {
		if !l.valid() {
			ls.log.Warn("lease ran out; the broker could not be asked in time", "lease", key)
			ls.drop(ctx, key)
		}
	}
	for key, s := range ls.others {
		if now.Sub(s.at) > ls.ttl+ls.ttl/8 {
			delete(ls.others, key)
		}
	}
}

// put creates or updates a key of ours.
func (ls *leases) put(ctx context.Context, key string, revision uint64) (uint64, error) {
	value, err := json.Marshal(leaseValue{Replica: ls.replica, Renewed: revision + 1})
	if err != nil {
		return 0, err
	}
	if revision == 0 {
		return ls.kv.Create(ctx, key, value)
	}
	next, err := ls.kv.Update(ctx, key, value, revision)
	if errors.Is(err, broker.ErrConflict) {
		return ls.ownWrite(ctx, key, err)
	}
	return next, err
}

// ownWrite tells a conflict with our own write, whose confirmation was lost, from
// one with another replica's.
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
func (ls *leases) drop(ctx context.Context, key string) {
	if l := ls.mine[key]; l != nil {
		l.extend(l.epoch)
	}
	delete(ls.mine, key)
	ls.close(ctx, key)
}

// close ends the service of an account in the background.
func (ls *leases) close(ctx context.Context, key string) {
	if ls.closing[key] {
		return
	}
	ls.closing[key] = true
	ls.lost(key, func() {
		select {
		case ls.rested <- key:
		case <-ctx.Done():
		}
	})
}

// atRest frees the lease of an account that was handed back.
func (ls *leases) atRest(ctx context.Context, key string) {
	delete(ls.closing, key)
	if l := ls.mine[key]; l != nil {
		delete(ls.mine, key)
		l.extend(l.epoch)
		ls.free(ctx, key, l.revision)
	}
}

// held counts the accounts that are served and not being handed back.
func (ls *leases) held() int {
	n := 0
	for key := range ls.mine {
		if !ls.closing[key] {
			n++
		}
	}
	return n
}

// balance takes free accounts up to the even share and hands back what is above.
func (ls *leases) balance(ctx context.Context) {
	share := ls.share()
	for _, key := range ls.keys {
		if ls.held() >= share {
			break
		}
		_, taken := ls.others[key]
		if ls.mine[key] == nil && !taken && !ls.closing[key] {
			ls.take(ctx, key)
		}
	}
	for _, key := range ls.keys {
		if ls.held() <= share {
			break
		}
		if ls.mine[key] != nil {
			ls.close(ctx, key) // handed back once it is at rest
		}
	}
}

// share is the even share of the accounts, rounded up.
func (ls *leases) share() int {
	replicas := 1
	for key := range ls.others {
		if strings.HasPrefix(key, replicaPrefix) {
			replicas++
		}
	}
	return int(math.Ceil(float64(len(ls.keys)) / float64(replicas)))
}

// take tries to get a free account.
func (ls *leases) take(ctx context.Context, key string) {
	ctx, cancel := context.WithTimeout(ctx, ls.ttl/4)
	defer cancel()
	l := newLease()
	asked := time.Now()
	revision, err := ls.put(ctx, key, 0)
	if err != nil {
		if errors.Is(err, broker.ErrConflict) {
			// Somebody holds it of whom nothing was heard yet.
			ls.others[key] = sighting{at: asked}
		}
		return
	}
	l.revision = revision
	l.extend(asked.Add(ls.ttl - ls.margin()))
	ls.mine[key] = l
	ls.log.Info("lease taken", "lease", key)
	ls.gained(key, l)
}

// free deletes the key, so that others see at once that the account is free.
func (ls *leases) free(ctx context.Context, key string, revision uint64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := ls.kv.Delete(ctx, key, revision); err != nil && !errors.Is(err, broker.ErrNotFound) {
		ls.log.Warn("lease could not be freed; it runs out by itself", "lease", key, "error", err)
		return
	}
	ls.log.Info("lease handed back", "lease", key)
}

// leave frees the presence, after all leases are handed back.
func (ls *leases) leave(ctx context.Context) {
	if ls.presence != 0 {
		ls.free(ctx, replicaPrefix+ls.replica, ls.presence)
	}
}
