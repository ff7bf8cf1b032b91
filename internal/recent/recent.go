// Package recent remembers what was seen of late, in bounded memory.
package recent

// Keys remembers at least the latest Limit keys, and at most twice as many. It is used
// by one goroutine at a time.
type Keys struct {
	Limit int

	young, old map[string]struct{}
}

// Add reports whether the key was there already.
func (k *Keys) Add(key string) bool {
	_, young := k.young[key]
	_, old := k.old[key]
	if young || old {
		return true
	}
	if k.young == nil || len(k.young) >= k.Limit {
		k.old, k.young = k.young, make(map[string]struct{}, k.Limit)
	}
	k.young[key] = struct{}{}
	return false
}
