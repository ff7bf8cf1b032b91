package broker

import (
	"testing"
	"testing/synctest"
	"time"
)

// load lets a number of writes be stored, in the way the meter says, by a server that
// takes so long for a write and so long for a batch.
func load(m *meter, writes int, single, batch time.Duration) (batched int) {
	for done := 0; done < writes; {
		if m.batching {
			time.Sleep(batch)
			m.batch(100, 2*crowd)
			done += 100
			batched += 100
			continue
		}
		time.Sleep(single)
		m.single(2*crowd, 0)
		done++
	}
	return batched
}

func TestMeterFindsTheCheaperWay(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		single, batch time.Duration
		want          bool
	}{
		{"every write is flushed", 130 * time.Microsecond, 5 * time.Millisecond, true},
		{"a slow disk", 2 * time.Millisecond, 20 * time.Millisecond, true},
		{"flushed now and then", 15 * time.Microsecond, 5 * time.Millisecond, false},
		{"no great difference", 60 * time.Microsecond, 5 * time.Millisecond, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var m meter
				load(&m, 5000, tt.single, tt.batch)
				if m.batching != tt.want {
					t.Fatalf("batches: %t, want %t", m.batching, tt.want)
				}
				// Put to the test again, it does not cost much.
				time.Sleep(meterAgain)
				batched := load(&m, 20000, tt.single, tt.batch)
				if m.batching != tt.want {
					t.Errorf("later, batches: %t, want %t", m.batching, tt.want)
				}
				if !tt.want && batched > enoughWrites+100 {
					t.Errorf("%d writes went in batches that are not worth it", batched)
				}
			})
		})
	}
}

// On a busy machine a batch may be answered soon after it was sent, and yet there is
// less progress, as the writes wait for their batch and the processor for the server.
func TestMeterCountsTheTimeBetweenBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m meter
		for !m.trying {
			time.Sleep(100 * time.Microsecond)
			m.single(2*crowd, 0)
		}
		for m.trying {
			time.Sleep(15 * time.Millisecond) // nothing is under way
			m.batch(100, 2*crowd)
		}
		if m.batching {
			t.Errorf("batches are kept: %v a write, singly %v", time.Duration(m.batches.each()), time.Duration(m.singles.each()))
		}
	})
}

// Writes that were slow for another reason than the disk are measured again before
// batches are taken for the cheaper way.
func TestMeterDoubts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m meter
		for !m.trying { // a slow start
			time.Sleep(200 * time.Microsecond)
			m.single(2*crowd, 0)
		}
		load(&m, 20000, 60*time.Microsecond, 8*time.Millisecond)
		if m.batching {
			t.Errorf("batches are kept: %v a write, singly %v", time.Duration(m.batches.each()), time.Duration(m.singles.each()))
		}
	})
}

// The disk changes under a running server, or the server behind the address.
func TestMeterChangesItsMind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m meter
		for _, want := range []bool{true, false, true} {
			single := 15 * time.Microsecond
			if want {
				single = time.Millisecond
			}
			for range 3 {
				load(&m, 20000, single, 6*time.Millisecond)
				time.Sleep(meterAgain)
			}
			load(&m, 20000, single, 6*time.Millisecond)
			if m.batching != want {
				t.Errorf("batches: %t, want %t", m.batching, want)
			}
		}
	})
}

func TestMeterMeasuresOnlyACrowd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m meter
		for range 10 * enoughWrites {
			time.Sleep(time.Millisecond)
			m.single(1, 0)
		}
		if m.batching || m.singles.writes > 0 {
			t.Errorf("an idle server was measured: %+v", m.singles)
		}
	})
}

// A trial with too little to do for a batch ends by itself.
func TestMeterEndsATrial(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m meter
		m.turn(time.Now(), true)
		m.trying = true
		time.Sleep(trialLimit)
		m.single(1, 1)
		if !m.batching {
			t.Error("the trial ended with a batch under way")
		}
		m.single(1, 0)
		if m.batching {
			t.Error("the trial goes on")
		}
	})
}
