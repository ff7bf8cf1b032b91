package simulation

import (
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// apiCall is one mutation request, for one instance or for several.
type apiCall struct {
	account, region, action, replica string
	sends                            []*send
	way                              luck      // what happens to it on its way
	signedAt                         time.Time // in the signature
	agreed                           time.Time // commit said yes
	owner                            string    // of the account's lease then, by the broker's truth
	left                             time.Time // bytes away
	landed                           time.Time // zero: never
	late                             bool
	answered                         time.Time // the sender has the answer
}

// send is one command's part of a request, and all that became of it.
type send struct {
	*apiCall
	token, marker, instance string
	op                      vendors.Operation
	luck                    luck // what the vendor does with it
	effect                  bool
	task                    *task
	verdict                 vendors.Verdict
}

// exempt reports that no limiter could have spaced the request's arrival.
func (r *apiCall) exempt() bool { return r.late || r.left.Sub(r.agreed) > longestGap }

// tokens names the commands of a request.
func (r *apiCall) tokens() string {
	var all []string
	for _, s := range r.sends {
		all = append(all, s.token)
	}
	return strings.Join(all, " ")
}

// newCall makes a request that is signed now.
func (a *adapter) newCall(reqs []vendors.Request) *apiCall {
	conf := a.cloud.conf
	r := &apiCall{account: conf.name, region: a.region, action: conf.action(reqs[0].Operation), replica: a.link.name, signedAt: conf.signs(time.Now())}
	for _, req := range reqs {
		r.sends = append(r.sends, &send{apiCall: r, token: req.ClientToken, marker: req.Marker, instance: req.InstanceID, op: req.Operation})
	}
	return r
}

// draw decides the fate of a request that is about to leave.
func (r *apiCall) draw(c *chance) {
	for _, s := range r.sends {
		s.luck = c.draw("call", r.account+s.token)
	}
	r.way = r.sends[0].luck
}

// apiCalls are the mutation requests that have left, in order.
func (w *world) apiCalls() (calls []*apiCall) {
	for _, s := range w.sends {
		if s == s.sends[0] {
			calls = append(calls, s.apiCall)
		}
	}
	return calls
}
