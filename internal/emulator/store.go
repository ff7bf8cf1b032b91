package emulator

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// store holds the instances of all families.
type store struct {
	// next numbers instances and tasks. It starts at a documented sample.
	next atomic.Int64

	mu        sync.RWMutex
	instances map[instanceKey]*instance
	// tasks leads from a task's number to its instance, for the vendors that
	// look tasks up by number.
	tasks map[int64]*instance
	// sorted caches list order; nil after an instance was added.
	sorted map[Vendor][]*instance
}

type instanceKey struct {
	family Vendor
	id     string
}

const firstTask = 6954227

func newStore() *store {
	s := &store{instances: map[instanceKey]*instance{}, tasks: map[int64]*instance{}, sorted: map[Vendor][]*instance{}}
	s.next.Store(firstTask)
	return s
}

// get returns the instance of that id, making it if the id is well formed. It
// returns nil if there is no such instance.
func (s *store) get(v Vendor, id, region string, now time.Time) *instance {
	key := instanceKey{v.family(), id}
	s.mu.RLock()
	in := s.instances[key]
	s.mu.RUnlock()
	if in == nil {
		if !wellFormed(id) || magicMissing(id) {
			return nil
		}
		in = s.add(key, region, now)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.conf.Missing {
		return nil
	}
	return in
}

func (s *store) add(key instanceKey, region string, now time.Time) *instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in := s.instances[key]; in != nil {
		return in
	}
	in := &instance{
		id: key.id, number: s.next.Add(1), created: now.Add(-24 * time.Hour),
		conf: InstanceSettings{Region: region}.resolve(key.id), effects: map[Operation]*effects{},
	}
	s.instances[key] = in
	s.sorted[key.family] = nil
	return in
}

// set replaces the settings of an instance.
func (s *store) set(v Vendor, id string, conf InstanceSettings, now time.Time) {
	in := s.add(instanceKey{v.family(), id}, conf.Region, now)
	in.mu.Lock()
	defer in.mu.Unlock()
	if conf.Region == "" {
		conf.Region = in.conf.Region
	}
	in.conf = conf.resolve(id)
}

// list returns the existing instances of a region in the order of their ids. An
// empty region means all.
func (s *store) list(v Vendor, region string) []*instance {
	var out []*instance
	for _, in := range s.all(v.family()) {
		in.mu.Lock()
		show := !in.conf.Missing && (region == "" || in.conf.Region == "" || sameRegion(in.conf.Region, region))
		in.mu.Unlock()
		if show {
			out = append(out, in)
		}
	}
	return out
}

func (s *store) all(family Vendor) []*instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sorted[family] == nil {
		for key, in := range s.instances {
			if key.family == family {
				s.sorted[family] = append(s.sorted[family], in)
			}
		}
		slices.SortFunc(s.sorted[family], func(a, b *instance) int { return strings.Compare(a.id, b.id) })
	}
	return s.sorted[family]
}

// file makes work findable by its number.
func (s *store) file(id int64, in *instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tasks[id] = in
	delete(s.tasks, id-taskMemory)
}

// taskMemory bounds the numbers that are remembered.
const taskMemory = 1_000_000

// task finds work by its number.
func (s *store) task(id int64) (work, bool) {
	s.mu.RLock()
	in := s.tasks[id]
	s.mu.RUnlock()
	if in == nil {
		return work{}, false
	}
	return in.task(id)
}

// crsRegions are CRS's short names of regions.
var crsRegions = map[string]string{
	"gz": "ap-guangzhou", "sh": "ap-shanghai", "bj": "ap-beijing", "cd": "ap-chengdu", "hk": "ap-hongkong",
	"sg": "ap-singapore", "ca": "na-toronto", "usw": "na-siliconvalley", "de": "eu-frankfurt", "kr": "ap-seoul",
	"gzopen": "ap-guangzhou-open",
}

// sameRegion compares regions across Tencent's two ways of writing them.
func sameRegion(a, b string) bool { return longRegion(a) == longRegion(b) }

func longRegion(r string) string {
	if long, ok := crsRegions[r]; ok {
		return long
	}
	return r
}

// clear forgets all instances. Numbers go on, so that none is used twice.
func (s *store) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.instances, s.tasks, s.sorted = map[instanceKey]*instance{}, map[int64]*instance{}, map[Vendor][]*instance{}
}
