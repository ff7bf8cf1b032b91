package emulator

import (
	"math/rand/v2"
	"net/http"
	"time"
)

// serve takes one vendor call from arrival to answer.
func (s *Server) serve(w http.ResponseWriter, x *exchange) {
	x.set = *s.settings.Load()
	x.requestID = newRequestID()
	x.cloud.read(x)
	key := PaceKey{x.vendor, x.key, x.region, x.action}
	if _, ok := s.keys.find(x.vendor, x.key); !ok {
		key.Key = "(unknown)"
	}
	at, within := s.pace.arrive(key, x.set.quotas.Mode, x.set.quotas.limit(x.vendor, x.action))
	x.at = at
	s.open(x)
	defer s.overlap(x)()
	var a *answer
	if within {
		a = s.attempt(x)
	} else {
		a = s.throttle(x)
	}
	s.settle(x, a)
	if a == nil {
		// The documented way to close a connection without an answer.
		panic(http.ErrAbortHandler)
	}
	write(w, a)
}

func (s *Server) open(x *exchange) {
	x.call = &Call{
		Time: x.at, Vendor: x.vendor, Key: x.key, Region: x.region, Action: x.action, Operation: x.op,
		Instances: x.instances, Token: x.token, Outcome: OutcomePending, RequestID: x.requestID,
	}
	s.calls.open(x.call)
}

func (s *Server) settle(x *exchange, a *answer) {
	s.calls.update(func() {
		x.call.Outcome, x.call.Effect = x.outcome, x.effect
		if a != nil {
			x.call.HTTPStatus = a.status
		}
	})
}

// overlap watches for two open mutation requests on one instance.
func (s *Server) overlap(x *exchange) (done func()) {
	var held []*instance
	if x.op != "" {
		for _, id := range x.instances {
			if in := x.instance(id); in != nil {
				held = append(held, in)
			}
		}
	}
	for _, in := range held {
		if in.inFlight.Add(1) > 1 {
			s.violations.overlapping.Add(1)
		}
	}
	return func() {
		for _, in := range held {
			in.inFlight.Add(-1)
		}
	}
}

// attempt lets faults strike and otherwise carries the call out. A nil answer
// means none.
func (s *Server) attempt(x *exchange) *answer {
	hit := s.faults.draw(x)
	if hit.latency > 0 {
		s.sleep(hit.latency)
		x.at = s.opts.Now()
	}
	f := hit.fault
	switch {
	case f == nil:
		return s.execute(x)
	case f.Kind == FaultHang:
		return s.hang(x, hit)
	case f.Kind == FaultLateEffect:
		return s.lateEffect(x, hit)
	case f.Kind.after():
		s.execute(x)
	}
	x.outcome = string(f.Kind)
	return s.spoiled(x, f)
}

// execute judges the call and carries it out.
func (s *Server) execute(x *exchange) *answer {
	if r := x.cloud.admit(x); r != nil {
		return x.refused(r)
	}
	result, r := x.cloud.perform(x)
	if r != nil {
		return x.refused(r)
	}
	if x.outcome == "" {
		x.outcome = "ok"
	}
	return x.cloud.accept(x, result)
}

func (x *exchange) refused(r *refusal) *answer {
	x.outcome = r.code
	return x.cloud.refuse(x, r)
}

func (s *Server) throttle(x *exchange) *answer {
	a := x.refused(x.cloud.throttled(x))
	if after := x.set.quirks.RetryAfter; after != "" {
		a.header.Set("Retry-After", after)
	}
	return a
}

func (s *Server) hang(x *exchange, hit strike) *answer {
	select {
	case <-hit.cleared:
		x.at = s.opts.Now()
		return s.execute(x)
	case <-x.r.Context().Done():
	case <-s.closing:
	}
	x.outcome = string(FaultHang)
	return nil
}

func (s *Server) lateEffect(x *exchange, hit strike) *answer {
	s.sleep(hit.fault.Delay)
	x.at = s.opts.Now()
	s.execute(x)
	x.outcome = string(FaultLateEffect)
	s.settle(x, nil)
	select {
	case <-hit.cleared:
	case <-x.r.Context().Done():
	case <-s.closing:
	}
	return nil
}

// sleep waits in real time, whatever clock the server has.
func (s *Server) sleep(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.closing:
	}
}

func write(w http.ResponseWriter, a *answer) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// newRequestID is a random UUID; vendors that write it otherwise reshape it.
func newRequestID() string {
	const digits = "0123456789abcdef"
	id := []byte("00000000-0000-4000-8000-000000000000")
	for i, c := range id {
		if c == '0' {
			id[i] = digits[rand.IntN(16)]
		}
	}
	return string(id)
}
