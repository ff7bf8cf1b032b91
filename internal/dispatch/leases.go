package dispatch

import (
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
)

// leases shares the accounts among the replicas.
//
// Every replica keeps a presence key and watches the bucket. An account without
// a lease is taken by whoever is below its even share and creates the key first;
// a replica above its share hands accounts back, cleanly. One that stops has a
// share of none.
type leases struct {
	kv      broker.KV
	ttl     time.Duration
	replica string
	log     *slog.Logger
	// gained and lost are called by the loop and do not block it. lost calls
	// rested, from any goroutine, when the account has come to rest.
	gained func(key string, l *lease, earlier *spent)
	lost   func(key string, rested func(*spent))
	// changed is told what happened to a lease of ours: one of the words below.
	changed func(key, what string)

	keys     []string // of all configured accounts, "account.<vendor>.<name>"
	mine     map[string]*lease
	others   map[string]sighting   // last news of others' leases and presences
	freed    map[string]freedLease // accounts that were handed back
	presence uint64
	stopping bool
	// closing are the accounts that we have stopped serving and that are not at
	// rest yet; rested brings their keys back to the loop. An account that is
	// handed back keeps its lease renewed until then.
	closing map[string]bool
	rested  chan atRest
	freeing sync.WaitGroup // keys that are being deleted
}

// What happens to a lease.
const (
	leaseTaken    = "taken"
	leaseReturned = "returned" // handed back by us
	leaseLost     = "lost"     // somebody else holds it, or it vanished at the broker
	leaseExpired  = "expired"  // it ended by our own clock before it could be renewed
)

// sighting is what was last heard of a key.
type sighting struct {
	replica string
	at      time.Time
}

// atRest is an account that we serve no more.
type atRest struct {
	key   string
	spent *spent
}

// freedLease is an account that its owner has handed back. Whoever replaces exactly
// this revision is the next owner, and what the one before has spent still holds.
type freedLease struct {
	revision uint64
	spent    *spent
}

// leaseValue is what a lease or presence key holds. Without a replica the account is
// free, handed back by its last owner.
type leaseValue struct {
	Replica string `json:"replica"`
	// Renewed counts renewals, so that every value differs.
	Renewed uint64 `json:"renewed"`
	// Spent is told with an account that is handed back.
	Spent *spent `json:"spent,omitempty"`
}

const (
	accountPrefix = "account."
	replicaPrefix = "replica."
)

// accountKey is the bucket's key of an account.
func accountKey(vendor, name string) string { return accountPrefix + vendor + "." + name }

// margin is how long before its end at the broker a lease ends here.
func (ls *leases) margin() time.Duration { return max(ls.ttl/4, time.Second) }

// run keeps leases until ctx ends; then it hands them back, renewing each until
// its account has come to rest, and returns.
func (ls *leases) run(ctx context.Context) {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer ls.freeing.Wait()
	defer end()
	tick := time.NewTicker(ls.ttl / 5)
	defer tick.Stop()
	news := ls.watch(ctx)
	quiet := time.After(300 * time.Millisecond) // news of others come first
	stop := ctx.Done()
	settled := false
	for !ls.stopping || len(ls.mine)+len(ls.closing) > 0 {
		select {
		case <-stop:
			stop, news, ls.stopping = nil, nil, true
			// Gone from the others' count first, so that they may take what is
			// about to be free.
			ls.leave(life)
		case e, ok := <-news:
			if !ok {
				news = ls.watchAgain(ctx)
				continue
			}
			if e.Key == "" {
				settled = true
				ls.renew(life)
			} else {
				ls.heard(e)
			}
		case r := <-ls.rested:
			ls.atRest(life, r)
		case <-quiet:
			settled = true
			ls.renew(life)
		case <-tick.C:
			ls.renew(life)
		}
		if settled || ls.stopping {
			ls.balance(life)
		}
	}
}

// watchAgain follows the bucket after a watch has ended. Nil once ctx has ended.
func (ls *leases) watchAgain(ctx context.Context) <-chan broker.Entry {
	if sleep(ctx, 200*time.Millisecond) != nil {
		return nil
	}
	return ls.watch(ctx)
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
	delete(ls.freed, e.Key)
	if e.Deleted {
		delete(ls.others, e.Key)
		return
	}
	var v leaseValue
	if json.Unmarshal(e.Value, &v) != nil || v.Replica == ls.replica {
		delete(ls.others, e.Key)
		return
	}
	if v.Replica == "" {
		delete(ls.others, e.Key)
		if v.Spent != nil {
			v.Spent.heard = time.Now()
		}
		ls.freed[e.Key] = freedLease{e.Revision, v.Spent}
		return
	}
	ls.others[e.Key] = sighting{v.Replica, time.Now()}
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

// share is the even share of the accounts, rounded up; none while stopping.
func (ls *leases) share() int {
	if ls.stopping {
		return 0
	}
	replicas := 1
	for key := range ls.others {
		if strings.HasPrefix(key, replicaPrefix) {
			replicas++
		}
	}
	return int(math.Ceil(float64(len(ls.keys)) / float64(replicas)))
}

// close ends the service of an account in the background.
func (ls *leases) close(ctx context.Context, key string) {
	if ls.closing[key] {
		return
	}
	ls.closing[key] = true
	ls.lost(key, func(s *spent) {
		select {
		case ls.rested <- atRest{key, s}:
		case <-ctx.Done():
		}
	})
}

// atRest frees the lease of an account that was handed back.
func (ls *leases) atRest(ctx context.Context, r atRest) {
	delete(ls.closing, r.key)
	if l := ls.mine[r.key]; l != nil {
		delete(ls.mine, r.key)
		l.extend(l.epoch)
		ls.changed(r.key, leaseReturned)
		ls.handBack(ctx, r, l.revision)
	}
}
