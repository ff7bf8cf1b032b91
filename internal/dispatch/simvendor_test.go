package dispatch

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/ledger"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// simVendor is a cloud that does what its test tells it.
type simVendor struct {
	mu sync.Mutex
	// calls are the mutations that left.
	calls     []simCall
	prepare   func(vendors.Request) vendors.Verdict
	execute   func(vendors.Request) vendors.Verdict
	poll      func(vendors.Task) vendors.Progress
	reconcile func(vendors.Intent) vendors.Finding
	probe     func() vendors.Verdict
	// exchange tells of a request, if somebody wants to know.
	exchange func(ctx context.Context, status int)
}

func (v *simVendor) exchanged(ctx context.Context, verdict vendors.Verdict) {
	if v.exchange != nil {
		v.exchange(ctx, map[bool]int{true: 200, false: 400}[verdict.Kind <= vendors.Accepted])
	}
}

// simPort is the cloud as one account reaches it.
type simPort struct {
	*simVendor
	hooks Hooks
}

type simCall struct {
	instance, token string
	at              time.Time
}

func (v simPort) Prepare(ctx context.Context, req vendors.Request) (vendors.Baseline, vendors.Verdict) {
	if err := v.hooks.Permit(ctx, "Look"); err != nil {
		return nil, vendors.Verdict{Kind: vendors.Transient, Message: err.Error()}
	}
	answer := vendors.Verdict{Kind: vendors.Done}
	if v.prepare != nil {
		answer = v.prepare(req)
	}
	v.exchanged(ctx, answer)
	v.hooks.Observe("Look", answer, time.Millisecond)
	return vendors.Baseline(`{}`), answer
}

func (v *simVendor) Plan(vendors.Request) vendors.Plan {
	return vendors.Plan{Action: "Restart", Endpoint: "POST https://sim", Request: map[string]any{}}
}

func (v simPort) Execute(ctx context.Context, req vendors.Request, _ vendors.Baseline, commit vendors.Commit) vendors.Verdict {
	if err := commit(ctx, time.Now()); err != nil {
		return vendors.Verdict{Kind: vendors.Withheld, Err: err}
	}
	v.mu.Lock()
	v.calls = append(v.calls, simCall{req.InstanceID, req.ClientToken, time.Now()})
	v.mu.Unlock()
	answer := vendors.Verdict{Kind: vendors.Done}
	if v.execute != nil {
		answer = v.execute(req)
	}
	v.exchanged(ctx, answer)
	v.hooks.Observe("Restart", answer, time.Millisecond)
	return answer
}

func (v *simVendor) Poll(_ context.Context, tasks []vendors.Task) []vendors.Progress {
	out := make([]vendors.Progress, len(tasks))
	for i, t := range tasks {
		out[i] = vendors.Progress{State: vendors.Succeeded, Task: t, Verdict: vendors.Verdict{Kind: vendors.Done}}
		if v.poll != nil {
			out[i] = v.poll(t)
		}
	}
	return out
}

func (v *simVendor) Reconcile(_ context.Context, _ vendors.Request, intent vendors.Intent) vendors.Finding {
	if v.reconcile != nil {
		return v.reconcile(intent)
	}
	return vendors.Finding{Clear: true, Evidence: "nothing seen"}
}

func (v *simVendor) Probe(context.Context) vendors.Verdict {
	if v.probe != nil {
		return v.probe()
	}
	return vendors.Verdict{Kind: vendors.Done}
}

func (v *simVendor) sent() []simCall {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]simCall(nil), v.calls...)
}

// sim is a whole engine on simulated parts under virtual time.
type sim struct {
	t      *testing.T
	broker *simBroker
	ledger *simKV
	leases *simKV
	vendor *simVendor
	conf   Account
	// metrics are those of the replica that is started next; nil if nobody reads them.
	metrics *Metrics
	tracer  Tracer
}

// simulate runs test with an engine in a bubble of virtual time.
func simulate(t *testing.T, test func(*sim)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &sim{t: t, broker: newSimBroker(), ledger: newSimKV(0), leases: newSimKV(8 * time.Second), vendor: &simVendor{}}
		s.conf = Account{
			Name: "prod", Regions: []string{"r1"},
			Facts: vendors.Facts{
				Name: "simcloud", SignatureLife: 5 * time.Minute,
				Actions: map[vendors.Operation]string{vendors.Restart: "Restart", vendors.Flush: "Flush"},
			},
			Allow:       map[string]bool{"restart": true},
			Quota:       func(action string) float64 { return map[string]float64{"Restart": 20}[action] },
			MaxInFlight: 100, Timeout: 10 * time.Second,
			Expiry:  map[string]time.Duration{"urgent": 15 * time.Minute, "normal": time.Hour, "bulk": 24 * time.Hour},
			Retry:   Retry{Attempts: 4, MinBackoff: 500 * time.Millisecond, MaxBackoff: 30 * time.Second},
			Breaker: Breaker{Failures: 5, Window: 30 * time.Second, Open: 15 * time.Second},
			Track:   Track{Interval: 5 * time.Second, Timeout: 2 * time.Hour},
			Connect: func(_ string, hooks Hooks) (vendors.Vendor, error) {
				return simPort{s.vendor, hooks}, nil
			},
		}
		test(s)
	})
}

// start runs a replica; stop drains it and waits for its end.
func (s *sim) start(replica string) (stop func()) {
	_, stop = s.startWith(replica, []Account{s.conf})
	return stop
}

// startWith is start with accounts of the test's own.
func (s *sim) startWith(replica string, accounts []Account) (e *Engine, stop func()) {
	e = New(Options{
		Replica: replica, Subjects: events.Subjects{Prefix: "sluice"}, Broker: s.broker, Ledger: s.ledger, Leases: s.leases,
		LeaseTTL: 8 * time.Second, Accounts: accounts, Metrics: s.metrics, Tracer: s.tracer,
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.Run(ctx, 11*time.Second)
	}()
	return e, func() {
		cancel()
		<-done
	}
}

// held counts the accounts that a replica serves.
func held(e *Engine) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.serving)
}

// command is a draft of a restart that a test may change.
func (s *sim) command(id string, change ...func(map[string]any)) []byte {
	data := map[string]any{"clientToken": "tok-" + id, "vendor": "simcloud", "account": "prod", "region": "r1", "instanceId": "i-" + id}
	e := map[string]any{"specversion": "1.0", "type": "dev.sluice.command.restart.v1", "source": "/test", "id": id, "data": data}
	for _, c := range change {
		c(e)
	}
	raw, err := json.Marshal(e)
	if err != nil {
		s.t.Fatal(err)
	}
	return raw
}

// data changes a field of a command's data.
func data(name string, value any) func(map[string]any) {
	return func(e map[string]any) { e["data"].(map[string]any)[name] = value }
}

// attr changes an attribute of a command.
func attr(name string, value any) func(map[string]any) {
	return func(e map[string]any) { e[name] = value }
}

const restartLane = "sluice.commands.simcloud.prod.r1.restart.normal"

// send stores a restart command in its lane.
func (s *sim) send(id string, change ...func(map[string]any)) {
	s.broker.store(restartLane, s.command(id, change...))
}

// results are the published results, decoded, in order.
func (s *sim) results() []events.ResultEvent {
	s.broker.mu.Lock()
	defer s.broker.mu.Unlock()
	var out []events.ResultEvent
	for _, m := range s.broker.published {
		if e, err := events.DecodeResult(m.Data); err == nil {
			out = append(out, e)
		}
	}
	return out
}

// finals are the final results by the id of the command answered.
func (s *sim) finals() map[string][]events.Result {
	out := map[string][]events.Result{}
	for _, e := range s.results() {
		if e.Data.Final {
			out[e.CausationID] = append(out[e.CausationID], e.Data)
		}
	}
	return out
}

// final is the one final result of a command.
func (s *sim) final(id string) events.Result {
	s.t.Helper()
	got := s.finals()[id]
	if len(got) != 1 {
		s.t.Fatalf("command %s has %d final results, want 1: %+v", id, len(got), got)
	}
	return got[0]
}

// wait lets virtual time pass.
func (s *sim) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// record is a token's ledger record.
func (s *sim) record(token string) (ledger.Record, bool) {
	e, err := ledger.Open(s.ledger, "test").Get(context.Background(), events.TokenKey(token))
	if err != nil {
		return ledger.Record{}, false
	}
	return e.Record, true
}
