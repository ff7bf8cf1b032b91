package rig

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Stub is the bare vendor's end as a process. It speaks Volcengine only.
type Stub struct {
	*Process
	// URL is the endpoint.
	URL string
}

// StartStub runs a stub that knows the instances prefix0 and so on; further ones
// it knows from when they are first named.
func (r *Rig) StartStub(ctx context.Context, prefix string, instances int) (*Stub, error) {
	p, err := r.Start("stub", "", nil, "-instances", fmt.Sprintf("%s,%d", prefix, instances))
	if err != nil {
		return nil, err
	}
	s := &Stub{Process: p}
	err = Await(ctx, 10*time.Second, 5*time.Millisecond, "the stub", func() bool {
		s.URL = p.logValue("listening", "url")
		return s.URL != ""
	}, p)
	return s, err
}

// Counts is how many calls of each action have arrived.
func (s *Stub) Counts(ctx context.Context) (map[string]int, error) {
	resp, err := get(ctx, s.URL+"/_stub/counts")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	counts := map[string]int{}
	if err := json.NewDecoder(resp.Body).Decode(&counts); err != nil {
		return nil, fmt.Errorf("rig: counts of the stub: %w", err)
	}
	return counts, nil
}

// Arrival is one call at the stub.
type Arrival struct {
	At time.Time
	// Instance is empty for lists.
	Instance string
}

// Arrivals lists the calls of an action, oldest first.
func (s *Stub) Arrivals(ctx context.Context, action string) ([]Arrival, error) {
	resp, err := get(ctx, s.URL+"/_stub/arrivals?action="+action)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var all []Arrival
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		at, id, _ := strings.Cut(lines.Text(), " ")
		nanos, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("rig: arrivals at the stub: %w", err)
		}
		all = append(all, Arrival{time.Unix(0, nanos), id})
	}
	return all, lines.Err()
}

// Reset forgets the calls.
func (s *Stub) Reset(ctx context.Context) error {
	resp, err := get(ctx, s.URL+"/_stub/reset")
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
