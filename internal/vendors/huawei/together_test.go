package huawei

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// many are requests of one operation with their baselines.
func many(op vendors.Operation, ids ...string) ([]vendors.Request, []vendors.Baseline) {
	var reqs []vendors.Request
	var bases []vendors.Baseline
	for _, id := range ids {
		reqs = append(reqs, vendors.Request{Operation: op, InstanceID: id})
		bases = append(bases, vendors.Baseline(`{"status":"RUNNING","taskUnknown":true}`))
	}
	return reqs, bases
}

func numbered(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("i-%02d", i)
	}
	return ids
}

func item(id, word string) string { return fmt.Sprintf(`{"instance":%q,"result":%q}`, id, word) }

func results(items ...string) reply { return ok(`{"results":[` + strings.Join(items, ",") + `]}`) }

// wantKinds compares verdicts in the short form "kind kind ...".
func wantKinds(t *testing.T, got []vendors.Verdict, want string) {
	t.Helper()
	var kinds []string
	for _, v := range got {
		wantVerdict(t, v, v.Kind, v.Reason) // a message, and no secrets
		kinds = append(kinds, v.Kind.String())
	}
	if have := strings.Join(kinds, " "); have != want {
		t.Errorf("verdicts %s, want %s", have, want)
	}
}

func TestExecuteManyIsOneRequest(t *testing.T) {
	t.Parallel()
	for _, op := range []vendors.Operation{vendors.Restart, vendors.SoftRestart, vendors.Flush} {
		ids := numbered(50)
		var items []string
		for _, id := range slices.Backward(ids) { // The order is not promised.
			items = append(items, item(id, "success"))
		}
		cloud := newCloud(t, map[string][]reply{putStatus: {results(items...)}})
		a := account(cloud.url)
		var steps []string
		a.Observe = func(action string, v vendors.Verdict, _ time.Duration) {
			steps = append(steps, action+" "+v.Kind.String())
		}
		a.Permit = func(context.Context, string) error { t.Error("a mutation asked for a look-up's permit"); return nil }
		var signed time.Time
		reqs, bases := many(op, ids...)
		bases[1] = vendors.Baseline(`{"status":"ERROR"}`)
		got := client(t, a).ExecuteMany(t.Context(), reqs, bases, func(_ context.Context, at time.Time) error {
			signed = at
			steps = append(steps, "commit")
			cloud.wantCalls(t)
			return nil
		})
		cloud.wantCalls(t, putStatus)
		if want := []string{"commit", actionStatus + " accepted"}; !slices.Equal(steps, want) {
			t.Errorf("steps %v, want %v", steps, want)
		}
		sent := cloud.calls[0]
		if sent.body["action"] != string(op) || !reflect.DeepEqual(sent.body["instances"], anys(ids)) || len(sent.body) != 2 {
			t.Errorf("body %v", sent.body)
		}
		if sent.header.Get("X-Sdk-Date") != signed.Format(dateStyle) {
			t.Errorf("commit was told %v, signed was %s", signed, sent.header.Get("X-Sdk-Date"))
		}
		if len(got) != len(ids) {
			t.Fatalf("%d verdicts", len(got))
		}
		for i, v := range got {
			wantVerdict(t, v, vendors.Accepted, "")
			state := map[bool]string{true: `{"fromError":true}`, false: `{"taskUnknown":true}`}[i == 1]
			if v.Task.InstanceID != ids[i] || v.Task.Operation != op || v.Task.AcceptedAt.IsZero() || string(v.Task.State) != state ||
				v.Response.RequestID != "req-1" || v.Response.HTTPStatus != 200 {
				t.Errorf("%s: task %+v with state %s, response %+v", ids[i], v.Task, v.Task.State, v.Response)
			}
		}
	}
}

func anys(list []string) []any {
	var out []any
	for _, s := range list {
		out = append(out, s)
	}
	return out
}

func TestExecuteManyAnswers(t *testing.T) {
	t.Parallel()
	const each = " "
	all := func(kind string) string { return strings.TrimSuffix(strings.Repeat(kind+each, 3), each) }
	cases := []struct {
		name           string
		ids            []string
		answer         reply
		want, observed string
	}{
		{"taken, failed, missing", numbered(3), results(item("i-00", "success"), item("i-01", "failed"), item("x", "success")), "accepted unexplained ambiguous", "accepted"},
		{"failed, new word, two words", numbered(3), results(item("i-00", "failed"), item("i-01", "queued"), item("i-02", "success"), item("i-02", "failed")), "unexplained ambiguous ambiguous", "ambiguous"},
		{"one word twice", numbered(3), results(item("i-00", "success"), item("i-00", "success"), item("i-01", "failed"), item("i-02", "failed"), item("i-02", "failed")), "accepted unexplained unexplained", "accepted"},
		{"all failed", numbered(3), results(item("i-00", "failed"), item("i-01", "failed"), item("i-02", "failed")), all("unexplained"), "unexplained"},
		{"no results", numbered(3), results(), all("ambiguous"), "ambiguous"},
		{"empty", numbered(3), ok(``), all("ambiguous"), "ambiguous"},
		{"HTML with 200", numbered(3), ok(`<html>`), all("ambiguous"), "ambiguous"},
		{"cut off", numbered(3), ok(`{"results":[` + item("i-00", "success")), all("ambiguous"), "ambiguous"},
		{"busy as a whole", numbered(3), fault(400, "DCS.4111"), all("unexplained"), "busy"},
		{"state as a whole", numbered(3), fault(400, "DCS.4027"), all("unexplained"), "refused"},
		{"one of them is gone", numbered(3), fault(404, "DCS.3022"), all("unexplained"), "refused"},
		{"wrong request", numbered(3), fault(400, "DCS.4061"), all("unexplained"), "refused"},
		{"throttled", numbered(3), fault(429, "APIGW.0308"), all("throttled"), "throttled"},
		{"forbidden", numbered(3), fault(403, "DCS.2007"), all("unauthorized"), "unauthorized"},
		{"IAM away", numbered(3), fault(503, "APIGW.0613"), all("transient"), "transient"},
		{"gateway timeout", numbered(3), fault(504, "APIGW.0201"), all("ambiguous"), "ambiguous"},
		{"unknown code", numbered(3), fault(400, "DCS.9999"), all("ambiguous"), "ambiguous"},
		{"hang-up", numbered(3), reply{}, all("ambiguous"), "ambiguous"},

		{"one alone, taken", numbered(1), results(item("i-00", "success")), "accepted", "accepted"},
		{"one alone, failed", numbered(1), results(item("i-00", "failed")), "refused", "refused"},
		{"one alone, busy", numbered(1), fault(400, "DCS.4111"), "busy", "busy"},
		{"one alone, gone", numbered(1), fault(404, "DCS.3022"), "refused", "refused"},
		{"one alone, missing", numbered(1), results(), "ambiguous", "ambiguous"},
		{"one left over, busy", []string{"i-00", "a/b"}, fault(400, "DCS.4111"), "busy refused", "busy"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cloud := newCloud(t, map[string][]reply{putStatus: {c.answer}})
			a := account(cloud.url)
			var observed []string
			a.Observe = func(_ string, v vendors.Verdict, _ time.Duration) { observed = append(observed, v.Kind.String()) }
			reqs, bases := many(vendors.Flush, c.ids...)
			wantKinds(t, client(t, a).ExecuteMany(t.Context(), reqs, bases, committed), c.want)
			cloud.wantCalls(t, putStatus)
			if !slices.Equal(observed, []string{c.observed}) {
				t.Errorf("observed %v, want %s", observed, c.observed)
			}
		})
	}
}

func TestExecuteManyKeepsTheVendorsWords(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, map[string][]reply{putStatus: {fault(400, "DCS.4111")}})
	reqs, bases := many(vendors.Restart, numbered(2)...)
	for _, v := range client(t, account(cloud.url)).ExecuteMany(t.Context(), reqs, bases, committed) {
		wantVerdict(t, v, vendors.Unexplained, "vendor_refused")
		if v.Response.Code != "DCS.4111" || !strings.Contains(v.Message, "DCS.4111") {
			t.Errorf("verdict %+v", v)
		}
	}
}

// What cannot go in a call is told so, and does not keep the others from it.
func TestExecuteManyPicksItsMembers(t *testing.T) {
	t.Parallel()
	mixed, bases := many(vendors.Restart, "i-00", "i-01", "i-02")
	mixed[1].Operation = vendors.Flush
	tooMany, tooManyBases := many(vendors.Restart, numbered(51)...)
	restores, _ := many(vendors.Restore, "i-00", "i-01")
	resizes, _ := many("resize", "i-00", "i-01")
	malformed, _ := many(vendors.Restart, "i-00", "../x", "i-02")
	twice, _ := many(vendors.Restart, "i-00", "i-01", "i-00")
	cases := []struct {
		name  string
		reqs  []vendors.Request
		bases []vendors.Baseline
		want  string
		sent  []any
	}{
		{"a malformed id", malformed, bases, "accepted refused accepted", []any{"i-00", "i-02"}},
		{"an instance twice", twice, bases, "refused accepted refused", []any{"i-01"}},
		{"two operations", mixed, bases, "accepted refused accepted", []any{"i-00", "i-02"}},
		{"too many", tooMany, tooManyBases, strings.TrimSuffix(strings.Repeat("refused ", 51), " "), nil},
		{"a baseline too few", twice[:2], bases[:1], "refused refused", nil},
		{"restores", restores, bases[:2], "refused refused", nil},
		{"an unknown operation", resizes, bases[:2], "refused refused", nil},
		{"none", nil, nil, "", nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			answer := results(item("i-00", "success"), item("i-01", "success"), item("i-02", "success"))
			cloud := newCloud(t, map[string][]reply{putStatus: {answer}})
			commits := 0
			got := client(t, account(cloud.url)).ExecuteMany(t.Context(), c.reqs, c.bases, func(context.Context, time.Time) error { commits++; return nil })
			wantKinds(t, got, c.want)
			var calls []string
			if c.sent != nil {
				calls = []string{putStatus}
			}
			cloud.wantCalls(t, calls...)
			if commits != len(calls) {
				t.Errorf("%d commits", commits)
			}
			if c.sent != nil && !reflect.DeepEqual(cloud.calls[0].body["instances"], c.sent) {
				t.Errorf("sent %v, want %v", cloud.calls[0].body["instances"], c.sent)
			}
		})
	}
}

func TestExecuteManyWithheld(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, nil)
	lost := errors.New("the lease is gone")
	reqs, bases := many(vendors.Restart, numbered(3)...)
	a := account(cloud.url)
	a.Observe = func(string, vendors.Verdict, time.Duration) { t.Error("a call that was not made was observed") }
	got := client(t, a).ExecuteMany(t.Context(), reqs, bases, func(context.Context, time.Time) error { return lost })
	wantKinds(t, got, "withheld withheld withheld")
	for _, v := range got {
		if !errors.Is(v.Err, lost) {
			t.Errorf("verdict %+v", v)
		}
	}
	a.Credentials = func(context.Context) (vendors.Credentials, error) { return vendors.Credentials{}, errors.New("no key") }
	got = client(t, a).ExecuteMany(t.Context(), reqs, bases, func(context.Context, time.Time) error { t.Error("committed without a signature"); return nil })
	wantKinds(t, got, "unauthorized unauthorized unauthorized")
	cloud.wantCalls(t)
}
