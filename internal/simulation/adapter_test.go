package simulation

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/seed-7b870224/sluice/internal/dispatch"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

const (
	// longestGap is the most that lies between the last check of a running
	// process and its first byte.
	longestGap = 2 * time.Millisecond
	// callTimeout bounds one vendor call.
	callTimeout = 10 * time.Second
	// statusGrace is how long an instance must stay idle to count as done
	// although it was never seen at work.
	statusGrace = 15 * time.Second
	lookAction  = "Look"
)

func itoa(n int) string { return strconv.Itoa(n) }

// adapter is vendors.Vendor: one replica's way to one account in one region.
type adapter struct {
	link   *link
	cloud  *cloud
	region string
	hooks  dispatch.Hooks
}

var (
	_ vendors.Surveyor  = (*adapter)(nil)
	_ vendors.Coalescer = (*adapter)(nil)
)

// memory is what a task's polls remember.
type memory struct {
	SeenBusy bool      `json:"seenBusy,omitempty"`
	OtherAt  time.Time `json:"otherAt,omitzero"`
}

// baseline is what a look for a lost answer compares with.
type baseline struct {
	Tasks []string `json:"tasks"`
}

// look makes one look-up; read runs under the world's lock.
func (a *adapter) look(ctx context.Context, key string, read func(now time.Time)) vendors.Verdict {
	if err := a.hooks.Permit(ctx, lookAction); err != nil {
		return vendors.Verdict{Kind: vendors.Transient, Reason: vendors.ReasonVendorUnavailable, Message: "not sent: " + err.Error()}
	}
	w, began := a.link.w, time.Now()
	v := a.ask(ctx, key, w.chance.draw("look", a.region+a.cloud.conf.name+key), read)
	if a.link.isDead() {
		return v
	}
	a.hooks.Observe(lookAction, v, time.Since(began))
	return v
}

// ask is the look-up's way there and back.
func (a *adapter) ask(ctx context.Context, key string, d luck, read func(time.Time)) vendors.Verdict {
	w, agreed := a.link.w, time.Now()
	lost := vendors.Verdict{Kind: vendors.Transient, Reason: vendors.ReasonVendorUnavailable, Message: "no answer"}
	if a.link.awake() != nil {
		return lost
	}
	exempt := time.Since(agreed) > longestGap
	// What has left arrives, whether or not the process stands still meanwhile.
	if a.link.sleep(a.cloud.conf.travel(d, 0)) != nil {
		return lost
	}
	w.mu.Lock()
	a.cloud.arrives(a.region, lookAction, a.link.name, key, exempt)
	hangs := a.hangs(d)
	v := vendors.Verdict{}
	if hangs {
		w.count("look-up hangs")
	} else if v = a.cloud.trouble(d, w.plan.transient); v.Kind == 0 {
		v = vendors.Verdict{Kind: vendors.Done}
		read(time.Now())
	}
	w.mu.Unlock()
	if hangs {
		_ = a.link.rest(ctx, callTimeout)
		return lost
	}
	if a.link.rest(ctx, a.cloud.conf.travel(d, 2)) != nil {
		return lost
	}
	return v
}

// Plan is vendors.Vendor.
func (a *adapter) Plan(req vendors.Request) vendors.Plan {
	return vendors.Plan{Action: a.cloud.conf.action(req.Operation), Endpoint: "POST https://cloud.test", Request: map[string]any{"instance": req.InstanceID}}
}

// Probe is vendors.Vendor.
func (a *adapter) Probe(ctx context.Context) vendors.Verdict {
	return a.look(ctx, "probe", func(time.Time) {})
}

// Poll is vendors.Vendor: one look-up for all.
func (a *adapter) Poll(ctx context.Context, tasks []vendors.Task) []vendors.Progress {
	out := make([]vendors.Progress, len(tasks))
	v := a.look(ctx, "poll", func(now time.Time) {
		for i, t := range tasks {
			out[i] = a.progress(t, now)
		}
	})
	if v.Kind != vendors.Done {
		for i, t := range tasks {
			out[i] = vendors.Progress{Task: t, Verdict: v}
		}
	}
	return out
}

// progress is how far a task is. It is called under the world's lock.
func (a *adapter) progress(t vendors.Task, now time.Time) vendors.Progress {
	i := a.cloud.instance(a.region, t.InstanceID)
	if t.ID != "" {
		for _, own := range i.tasks {
			if own.id == t.ID {
				return own.progress(t, now)
			}
		}
		return vendors.Progress{Task: t, Verdict: vendors.Verdict{Kind: vendors.Transient, Message: "no such task"}}
	}
	var m memory
	_ = json.Unmarshal(t.State, &m)
	p := vendors.Progress{State: vendors.Running, Verdict: vendors.Verdict{Kind: vendors.Done}}
	switch status := i.status(now); {
	case status == string(t.Operation):
		m.SeenBusy = true
	case status != "running":
		m.OtherAt = now
	case m.SeenBusy || now.Sub(t.AcceptedAt) > statusGrace && now.Sub(m.OtherAt) > statusGrace:
		p.State = vendors.Succeeded
	}
	p.Task = t
	p.Task.State, _ = json.Marshal(m)
	return p
}

func (own *task) progress(t vendors.Task, now time.Time) vendors.Progress {
	p := vendors.Progress{State: vendors.Running, Task: t, Verdict: vendors.Verdict{Kind: vendors.Done}}
	switch {
	case now.Before(own.ends):
	case own.fails:
		p.State = vendors.Failed
		p.Verdict = vendors.Verdict{Kind: vendors.Refused, Reason: vendors.ReasonTaskFailed, Message: "the task failed"}
	default:
		p.State = vendors.Succeeded
	}
	return p
}

// Reconcile is vendors.Vendor.
func (a *adapter) Reconcile(ctx context.Context, req vendors.Request, intent vendors.Intent) vendors.Finding {
	var f vendors.Finding
	v := a.look(ctx, "reconcile"+req.ClientToken, func(now time.Time) {
		i := a.cloud.instance(a.region, req.InstanceID)
		switch {
		case a.cloud.conf.kind == tasklist:
			f = i.byList(req, intent, now)
		case a.cloud.conf.kind == marked && req.Operation == vendors.Restore:
			f = i.byMarker(req, intent, now)
		default:
			f = i.byStatus(req, intent, now)
		}
	})
	f.Verdict = v
	if v.Kind != vendors.Done {
		return vendors.Finding{Verdict: v, Evidence: "the look-up failed"}
	}
	if f.Conclusion != vendors.Unclear && !a.link.isDead() {
		w := a.link.w
		w.mu.Lock()
		w.findings = append(w.findings, &finding{req.ClientToken, a.link.name, time.Now(), f.Conclusion})
		w.mu.Unlock()
	}
	return f
}

// byList compares the list of tasks with the baseline.
func (i *instance) byList(req vendors.Request, intent vendors.Intent, now time.Time) vendors.Finding {
	var base baseline
	if json.Unmarshal(intent.Baseline, &base) != nil {
		return vendors.Finding{Evidence: "no baseline"}
	}
	var ours []*task
	for _, t := range i.tasks {
		if !now.Before(t.seen) && t.op == req.Operation && !slices.Contains(base.Tasks, t.id) {
			ours = append(ours, t)
		}
	}
	switch {
	case len(ours) > 1:
		return vendors.Finding{Conclusion: vendors.Several, Evidence: "several new tasks"}
	case len(ours) == 1:
		return found(req, intent, ours[0])
	case i.status(now) != "running":
		return vendors.Finding{Evidence: "nothing new, but not idle"}
	}
	return absent(intent, time.Minute)
}

// byMarker looks for the record with our marker.
func (i *instance) byMarker(req vendors.Request, intent vendors.Intent, now time.Time) vendors.Finding {
	for _, t := range i.tasks {
		if !now.Before(t.seen) && t.marker == req.Marker && !t.began.Before(intent.SignedAt) {
			return found(req, intent, t)
		}
	}
	if i.status(now) != "running" {
		return vendors.Finding{Evidence: "no record, but not idle"}
	}
	return absent(intent, time.Minute)
}

// byStatus sees work only while it runs.
func (i *instance) byStatus(req vendors.Request, intent vendors.Intent, now time.Time) vendors.Finding {
	switch i.status(now) {
	case string(req.Operation):
		state, _ := json.Marshal(memory{SeenBusy: true})
		return vendors.Finding{Conclusion: vendors.Ran, Evidence: "at work", Task: vendors.Task{
			Operation: req.Operation, InstanceID: req.InstanceID, AcceptedAt: intent.SignedAt, State: state}}
	case "running":
		return vendors.Finding{Clear: true, Evidence: "idle, which shows nothing"}
	}
	return vendors.Finding{Evidence: "at other work"}
}

func found(req vendors.Request, intent vendors.Intent, t *task) vendors.Finding {
	return vendors.Finding{Conclusion: vendors.Ran, Evidence: "task " + t.id + " is ours", Task: vendors.Task{
		ID: t.id, Operation: req.Operation, InstanceID: req.InstanceID, AcceptedAt: intent.SignedAt}}
}

// absent is a look without a trace. The signature's lapse is judged by the engine.
func absent(intent vendors.Intent, patience time.Duration) vendors.Finding {
	f := vendors.Finding{Clear: true, Evidence: "no trace"}
	if intent.AbsenceProves(patience) {
		f.Conclusion = vendors.NotRun
	}
	return f
}
