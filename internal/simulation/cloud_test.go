package simulation

import (
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// evidence is what a cloud lets one find out about a lost mutation.
type evidence int

const (
	// tasklist: every work is a task with an id, and a list shows all of an
	// instance's, a little late. Absence can prove that nothing ran.
	tasklist evidence = iota
	// statusonly: work shows in the instance's status while it runs, and leaves
	// no trace. Nothing ever proves that it did not run.
	statusonly
	// marked: a restore leaves a record with our marker, a little late; other
	// work shows in the status only.
	marked
)

// cloud is the truth of one account at its vendor. Everything in it is called
// under the world's lock.
type cloud struct {
	w         *world
	conf      *accountPlan
	instances map[string]*instance // by region and id
	calls     []arrival
	tasks     int
	// unexplained are the tokens that were turned down without the reason.
	unexplained map[string]bool
}

// instance is one instance's truth.
type instance struct {
	tasks []*task
	// othersTill is the end of work that is not ours.
	othersTill time.Time
}

// task is work that a mutation started.
type task struct {
	id, token, marker string
	op                vendors.Operation
	began, seen, ends time.Time
	fails             bool
}

// arrival is one call at the vendor, for the quota.
type arrival struct {
	region, action string
	at             time.Time
	by, why        string // the replica, and what the call was for
	// exempt: it was held up on its way (a paused process, a late landing), so
	// that no limiter could space it.
	exempt bool
}

func newCloud(w *world, conf *accountPlan) *cloud {
	return &cloud{w: w, conf: conf, instances: map[string]*instance{}, unexplained: map[string]bool{}}
}

func (c *cloud) instance(region, id string) *instance {
	i := c.instances[region+"/"+id]
	if i == nil {
		i = &instance{}
		c.instances[region+"/"+id] = i
	}
	return i
}

// running is the task at work on an instance.
func (i *instance) running(now time.Time) *task {
	if len(i.tasks) == 0 {
		return nil
	}
	if t := i.tasks[len(i.tasks)-1]; now.Before(t.ends) {
		return t
	}
	return nil
}

// status is what a look at an instance shows: running, others, or the operation
// that is at work.
func (i *instance) status(now time.Time) string {
	if t := i.running(now); t != nil {
		return string(t.op)
	}
	if now.Before(i.othersTill) {
		return "others"
	}
	return "running"
}

// spell reports a time in which an account meets a kind of trouble.
func (c *cloud) spell(kind string) bool {
	_, is := during(c.conf.spells[kind], c.w.since())
	return is
}

// trouble is the vendor's answer to a call that it does not even look at; zero if
// there is none.
func (c *cloud) trouble(d luck, transient float64) vendors.Verdict {
	calm := c.w.since() >= c.w.plan.heal
	switch {
	case c.spell("unauthorized"):
		c.w.count("unauthorized")
		return vendors.Verdict{Kind: vendors.Unauthorized, Reason: vendors.ReasonUnauthorized, Message: "the key is refused"}
	case !calm && (c.spell("throttled") && d.hits(10, 0.5) || d.hits(11, transient/4)):
		c.w.count("throttled")
		v := vendors.Verdict{Kind: vendors.Throttled, Reason: vendors.ReasonQuotaExhausted, Message: "too many calls"}
		if d.hits(12, 0.3) {
			v.RetryAfter = d.between(13, time.Second, 4*time.Second)
		}
		return v
	case !calm && (c.spell("failing") || d.hits(14, transient)):
		c.w.count("transient")
		return vendors.Verdict{Kind: vendors.Transient, Reason: vendors.ReasonVendorUnavailable, Message: "not executed"}
	}
	return vendors.Verdict{}
}

// arrives notes a call for the quota.
func (c *cloud) arrives(region, action, by, why string, exempt bool) {
	c.calls = append(c.calls, arrival{region, action, time.Now(), by, why, exempt})
}

// land is a request's arrival: what the vendor does and would answer, to each
// instance of the request by itself.
func (c *cloud) land(r *apiCall) []vendors.Verdict {
	r.landed = time.Now()
	c.arrives(r.region, r.action, r.replica, r.tokens(), r.exempt())
	turnedAway := c.turnsAway(r)
	out := make([]vendors.Verdict, len(r.sends))
	for i, s := range r.sends {
		if out[i] = turnedAway; turnedAway.Kind == 0 {
			out[i] = c.handle(s)
		}
	}
	return out
}

// turnsAway is the answer to a whole request that the vendor does not even look
// at; zero if it does.
func (c *cloud) turnsAway(r *apiCall) vendors.Verdict {
	if r.landed.Sub(r.signedAt) > c.conf.life {
		c.w.count("lapsed signature")
		return vendors.Verdict{Kind: vendors.Unauthorized, Reason: vendors.ReasonUnauthorized, Message: "the signature has lapsed"}
	}
	return c.trouble(r.way, c.w.plan.transient)
}

// handle is what the vendor does with one instance of a request.
func (c *cloud) handle(s *send) vendors.Verdict {
	i := c.instance(s.region, s.instance)
	if status := i.status(s.landed); status != "running" {
		return c.deny(s, vendors.Verdict{Kind: vendors.Busy, Reason: vendors.ReasonInstanceBusy, Message: "instance is " + status})
	}
	if c.w.since() < c.w.plan.heal && s.luck.hits(20, c.refusing(s)) {
		c.w.count("refused")
		return c.deny(s, vendors.Verdict{Kind: vendors.Refused, Reason: vendors.ReasonVendorRefused, Message: "not like that"})
	}
	return c.take(i, s, s.landed)
}

// refusing is how likely a mutation is refused: whoever was turned down without a
// reason shall often learn one.
func (c *cloud) refusing(s *send) float64 {
	if c.unexplained[s.token] {
		return 0.6
	}
	return c.w.plan.refuses * float64(min(len(s.sends), 4))
}

// deny turns one instance down. In a request for several the reason is mostly
// missing.
func (c *cloud) deny(s *send, why vendors.Verdict) vendors.Verdict {
	if len(s.sends) == 1 || why.Kind == vendors.Busy && s.luck.hits(24, 0.5) {
		return why
	}
	c.w.count("turned down without a reason")
	c.unexplained[s.token] = why.Kind == vendors.Refused
	return vendors.Verdict{Kind: vendors.Unexplained, Reason: vendors.ReasonVendorRefused, Message: "failed"}
}

// take carries a mutation out.
func (c *cloud) take(i *instance, s *send, now time.Time) vendors.Verdict {
	s.effect = true
	c.tasks++
	t := &task{id: "t" + itoa(c.tasks), token: s.token, marker: s.marker, op: s.op, began: now}
	t.ends = now.Add(c.conf.work(s.luck))
	t.seen = now.Add(c.conf.lag(s.luck))
	t.fails = c.conf.kind != statusonly && s.luck.hits(21, 0.05)
	s.task = t
	if c.conf.kind == statusonly && s.op == vendors.Flush {
		t.ends = now // done before the answer
		i.tasks = append(i.tasks, t)
		return vendors.Verdict{Kind: vendors.Done}
	}
	i.tasks = append(i.tasks, t)
	if c.w.since() < c.w.plan.heal && s.luck.hits(22, 0.05) {
		i.othersTill = t.ends.Add(s.luck.between(23, time.Second, 20*time.Second))
	}
	v := vendors.Verdict{Kind: vendors.Accepted, Task: vendors.Task{Operation: s.op, InstanceID: s.instance, AcceptedAt: now.UTC()}}
	if c.conf.kind != statusonly {
		v.Task.ID = t.id
	}
	return v
}

// finding is one look for a lost answer that came to a conclusion.
type finding struct {
	token, replica string
	at             time.Time
	conclusion     vendors.Conclusion
}
