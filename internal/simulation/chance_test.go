package simulation

import (
	"sync"
	"time"
)

// chance decides every fault and every delay. A decision is a hash of the seed,
// of what is decided, and of how often that was decided before for the same
// thing; it does not depend on which goroutine came first, as a shared stream of
// random numbers would.
type chance struct {
	seed uint64
	mu   sync.Mutex
	n    map[uint64]uint64
}

func newChance(seed uint64) *chance { return &chance{seed: seed, n: map[uint64]uint64{}} }

// draw is the next decision of what about key.
func (c *chance) draw(what, key string) luck {
	h := hash(hash(c.seed, what), key)
	c.mu.Lock()
	n := c.n[h]
	c.n[h] = n + 1
	c.mu.Unlock()
	return luck(mix(h + n*0x9E3779B97F4A7C15))
}

// fixed is a decision that is always the same.
func (c *chance) fixed(what, key string) luck { return luck(mix(hash(hash(c.seed, what), key))) }

func hash(h uint64, s string) uint64 {
	h ^= 0xcbf29ce484222325
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 0x100000001b3
	}
	return mix(h)
}

// mix is the finaliser of splitmix64.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// luck is one decision; parts of it are independent numbers.
type luck uint64

// part is the i-th number, in [0, 1).
func (l luck) part(i int) float64 {
	return float64(mix(uint64(l)+uint64(i+1)*0xD1342543DE82EF95)>>11) / (1 << 53)
}

// hits reports an event of the given probability.
func (l luck) hits(i int, p float64) bool { return l.part(i) < p }

// below is a number in [0, n).
func (l luck) below(i, n int) int { return int(l.part(i) * float64(n)) }

// between is a duration in [least, most).
func (l luck) between(i int, least, most time.Duration) time.Duration {
	return least + time.Duration(l.part(i)*float64(most-least))
}
