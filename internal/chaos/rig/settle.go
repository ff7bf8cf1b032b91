package rig

import (
	"testing"
	"time"
)

// Settled waits until every acknowledged command has its final result and the
// queue is empty, and audits. What is unsettled after the limit is counted as
// lost; the caller decides what a tally means.
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
		if why == nil && waiting == 0 {
			return a.Tally()
		}
		if time.Now().After(end) {
			break
		}
	}
	t := a.Tally()
	t.problem("not settled after %s (reading says: %v)", limit, why)
	return t
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
