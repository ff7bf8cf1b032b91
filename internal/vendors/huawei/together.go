package huawei

import (
	"context"
	"fmt"

	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

// maxTogether is the most instances that one call takes; more are refused with
// DCS.4100. Source: Huawei Cloud intl/en-us/api-dcs/RestartOrFlushInstances.html.
const maxTogether = 50

// ExecuteMany restarts or flushes the instances of several requests in one call.
//
// The answer has a word for each instance. Those that failed come without a reason,
// and where the whole call is turned down for the state of an instance it is not
// said of which: Execute by itself brings that out. The documentation does not say
// whether a call that is turned down as a whole has begun with some of its instances;
// since it has a word for each where only some are taken, an error is read as none.
func (c *Client) ExecuteMany(ctx context.Context, reqs []vendors.Request, bases []vendors.Baseline, commit vendors.Commit) []vendors.Verdict {
	j := newJoint(reqs, bases)
	if len(j.members) == 0 {
		return j.verdicts
	}
	m := statusCall(reqs[0].Operation, j.ids()...)
	out, v := c.sign(ctx, m)
	if v.Kind != vendors.Done {
		j.whole(v)
		return j.verdicts
	}
	if err := commit(ctx, out.signedAt); err != nil {
		j.whole(withheld(m, err))
		return j.verdicts
	}
	if v = c.send(ctx, out, j.taken); !j.answered {
		j.whole(v)
	}
	return j.verdicts
}

// joint is one call for several requests.
type joint struct {
	reqs  []vendors.Request
	bases []vendors.Baseline
	// members are the requests that take part in the call, by their place.
	members []int
	// verdicts has one for each request.
	verdicts []vendors.Verdict
	// answered: the answer told of each instance.
	answered bool
}

// newJoint picks the requests that can go together. The others have their verdicts,
// and keep nobody from the call.
func newJoint(reqs []vendors.Request, bases []vendors.Baseline) *joint {
	j := &joint{reqs: reqs, bases: bases, verdicts: make([]vendors.Verdict, len(reqs))}
	times := map[string]int{}
	for _, r := range reqs {
		times[r.InstanceID]++
	}
	for i, r := range reqs {
		v := j.fits(r)
		if v.Kind == vendors.Done && times[r.InstanceID] > 1 {
			v = misused("instance %s is %d times in one call", r.InstanceID, times[r.InstanceID])
		}
		if v.Kind == vendors.Done {
			j.members = append(j.members, i)
			continue
		}
		j.verdicts[i] = v
	}
	return j
}

// fits says whether a request can be in this call; the verdict is Done if so.
func (j *joint) fits(r vendors.Request) vendors.Verdict {
	first := j.reqs[0].Operation
	switch {
	case len(j.bases) != len(j.reqs):
		return misused("%d requests with %d baselines", len(j.reqs), len(j.bases))
	case len(j.reqs) > maxTogether:
		return misused("%d requests in one call, which takes %d", len(j.reqs), maxTogether)
	case r.Operation != first:
		return misused("%s and %s in one call", first, r.Operation)
	case r.Operation == vendors.Restore:
		return misused("a restore goes by itself")
	}
	_, v := mutation(r)
	return v
}

// misused is the verdict on a call that the program should not have made.
func misused(format string, args ...any) vendors.Verdict {
	return refused.verdict(actionStatus + " was not sent, which is a mistake of this program: " + fmt.Sprintf(format, args...))
}

// ids are the instances of the call.
func (j *joint) ids() []string {
	ids := make([]string, len(j.members))
	for n, i := range j.members {
		ids[n] = j.reqs[i].InstanceID
	}
	return ids
}

// taken reads what the answer says of each instance. It returns what the call came
// to: taken if some were, else in doubt if some are.
func (j *joint) taken(v vendors.Verdict, a wire.Answer) vendors.Verdict {
	words, failed := decodeResults(a.Body), refused
	if len(j.members) > 1 {
		failed = unexplained
	}
	kinds := map[vendors.Kind]vendors.Verdict{}
	for _, i := range j.members {
		r := j.reqs[i]
		j.verdicts[i] = statusTaken(v, words[r.InstanceID], begin(r, j.bases[i]), failed)
		kinds[j.verdicts[i].Kind] = j.verdicts[i]
	}
	j.answered = true
	for _, kind := range []vendors.Kind{vendors.Accepted, vendors.Ambiguous} {
		if came, ok := kinds[kind]; ok {
			return came
		}
	}
	return kinds[failed.kind]
}

// whole gives all members the verdict on the call. A refusal of a call for several
// does not tell which of them it is about.
func (j *joint) whole(v vendors.Verdict) {
	if len(j.members) > 1 && (v.Kind == vendors.Refused || v.Kind == vendors.Busy) {
		v = withResponse(unexplained.verdict(fmt.Sprintf("the call for %d instances was turned down as a whole: %s", len(j.members), v.Message)), v)
	}
	for _, i := range j.members {
		j.verdicts[i] = v
	}
}
