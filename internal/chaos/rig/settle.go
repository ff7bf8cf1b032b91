package rig

import (
	"slices"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/emulator"
)

// Settled waits until every acknowledged command has its final result, the queue
// is empty and the clouds have judged every call that reached them, and audits.
// What is unsettled after the limit is counted as lost; the caller decides what a
// tally means.
func Settled(tb testing.TB, limit time.Duration, p *Publisher, results *Results, clouds *Clouds) Tally {
	tb.Helper()
	a := Audit{Clouds: clouds}
	var why error
	for end := time.Now().Add(limit); ; time.Sleep(150 * time.Millisecond) {
		a.Sent = p.Sent()
		a.Results, why = results.Read(tb.Context())
		waiting := uint64(1)
		if why == nil && a.Answered() {
			waiting, why = results.Waiting(tb.Context())
		}
		if why == nil && waiting == 0 && !a.open() {
			return a.Tally()
		}
		if time.Now().After(end) {
			break
		}
	}
	t := a.Tally()
	t.problem("not settled after %s (reading says: %v; calls open: %v)", limit, why, a.open())
	return t
}

// open reports whether a mutation has reached the clouds and not been judged yet:
// what it was is not known before. A frozen caller's can come after every answer.
func (a Audit) open() bool {
	if a.Clouds == nil {
		return false
	}
	ours := a.instances()
	return slices.ContainsFunc(a.Clouds.Calls(emulator.Filter{Mutations: true}), func(c emulator.Call) bool {
		return c.Outcome == emulator.OutcomePending && slices.ContainsFunc(c.Instances, func(instance string) bool {
			_, found := slices.BinarySearch(ours, instance)
			return found
		})
	})
}

// MustBeClean fails the test if anything was lost, answered twice or sent
// without right.
func (t Tally) MustBeClean(tb testing.TB) {
	tb.Helper()
	if t.Lost+t.Twice+t.WithoutRight == 0 && len(t.Problems) == 0 {
		return
	}
	const most = 20
	tb.Errorf("%d commands: %d lost, %d answered twice, %d mutations without right (%v)", t.Commands, t.Lost, t.Twice, t.WithoutRight, t.Statuses)
	for _, p := range t.Problems[:min(len(t.Problems), most)] {
		tb.Error(p)
	}
}
