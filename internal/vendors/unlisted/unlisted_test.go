package unlisted

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

func TestWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w Work
		flush := vendors.Request{Operation: vendors.Flush, InstanceID: "a"}
		restore := vendors.Request{Operation: vendors.Restore, InstanceID: "a"}
		other := vendors.Request{Operation: vendors.Flush, InstanceID: "b"}
		want := func(req vendors.Request, before string) {
			t.Helper()
			got, _, ok := w.last(req)
			if string(got) != before || ok != (before != "") {
				t.Errorf("%s of %s: %q, %t; want %q", req.Operation, req.InstanceID, got, ok, before)
			}
		}
		want(flush, "")
		w.Take(flush, vendors.Baseline("1"))
		w.Take(other, vendors.Baseline("2"))
		want(flush, "1")
		want(restore, "")
		w.Take(flush, vendors.Baseline("3"))
		want(flush, "3")
		w.forget(flush)
		want(flush, "")
		want(other, "2")
		time.Sleep(patience)
		want(other, "")
	})
}

// Work is missing until the list shows a row that is newer than its baseline.
func TestMissing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w Work
		flush := vendors.Request{Operation: vendors.Flush, InstanceID: "a"}
		listed := false
		shows := func(before vendors.Baseline) bool {
			if string(before) != "1" {
				t.Errorf("compared with %q", before)
			}
			return listed
		}
		want := func(missing bool) {
			t.Helper()
			if _, got := w.Missing(flush, shows); got != missing {
				t.Errorf("missing: %t, want %t", got, missing)
			}
		}
		want(false) // nothing was taken, so nothing is compared
		taken := time.Now()
		w.Take(flush, vendors.Baseline("1"))
		time.Sleep(time.Second)
		want(true)
		if since, _ := w.Missing(flush, shows); !since.Equal(taken) {
			t.Errorf("missing since %v, want %v", since, taken)
		}
		listed = true
		want(false)
		listed = false
		want(false) // forgotten
	})
}

// What has grown old does not stay in memory.
func TestWorkIsSwept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w Work
		for i := range 100 * fewest {
			w.Take(vendors.Request{Operation: vendors.Flush, InstanceID: fmt.Sprint(i)}, vendors.Baseline("1"))
			time.Sleep(time.Second)
		}
		if n := len(w.taken); n > 2*int(patience/time.Second)+fewest {
			t.Errorf("remembers %d", n)
		}
	})
}
