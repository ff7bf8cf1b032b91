package broker

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// sweepEvery is how often overdue requests are looked for: no request has a
	// timer of its own.
	sweepEvery = 250 * time.Millisecond
	// sweepLimit is how many sweeps a request may outlast.
	sweepLimit = uint64(requestTimeout/sweepEvery) + 1
	// statusNoResponders is how the server says that nobody listens.
	statusNoResponders = "503"
)

// errLost ends requests whose connection went. The server may have acted on them.
var errLost = fmt.Errorf("the connection was lost before the server answered: %w", nats.ErrDisconnected)

// receiver takes the answer to a request, exactly once. It runs on the goroutine of
// all answers and must never wait.
type receiver interface {
	answered(m *nats.Msg, err error)
}

// requests asks the server and takes its answers. All answers of a connection
// arrive on one subscription and are told apart by the last token of their subject,
// so that a request in flight is an entry in a map: no timer, no goroutine.
type requests struct {
	nc     *nats.Conn
	prefix string // of the subjects of answers, with the last dot

	mu       sync.Mutex
	last     uint64 // the token given last
	deaf     error  // why no answer can be heard
	open     map[uint64]openRequest
	sweeps   uint64 // how many there have been
	sweeping bool   // the next one is due
}

type openRequest struct {
	to      receiver
	subject string
	// due is the sweep that gives it up; 0 leaves that to the context.
	due uint64
}

func newRequests() *requests { return &requests{open: map[uint64]openRequest{}} }

// listen opens the subscription of answers, which outlives reconnects.
func (r *requests) listen(nc *nats.Conn) error {
	inbox := nc.NewInbox()
	r.nc, r.prefix = nc, inbox+"."
	sub, err := nc.Subscribe(inbox+".*", r.receive)
	if err != nil {
		return fmt.Errorf("subscribe to answers: %w", err)
	}
	// What may be pending is bounded by what was asked.
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return fmt.Errorf("subscribe to answers: %w", err)
	}
	return nil
}

// start sends a request, with no limit of time if its context has one. An error
// means that it was not sent and that nobody will be answered.
func (r *requests) start(msg *nats.Msg, limited bool, to receiver) (token uint64, err error) {
	if token, err = r.add(to, msg.Subject, limited); err != nil {
		return 0, err
	}
	msg.Reply = r.prefix + strconv.FormatUint(token, 36)
	if err := r.nc.PublishMsg(msg); err != nil {
		if _, mine := r.take(token); mine {
			return 0, err
		}
		return token, nil // its answer is an error already
	}
	return token, nil
}

func (r *requests) add(to receiver, subject string, limited bool) (uint64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.deaf != nil {
		return 0, r.deaf
	}
	r.last++
	request := openRequest{to: to, subject: subject}
	if limited {
		request.due = r.sweeps + sweepLimit
	}
	r.open[r.last] = request
	if !r.sweeping {
		r.sweeping = true
		time.AfterFunc(sweepEvery, r.sweep)
	}
	return r.last, nil
}

// refuse ends the requests that the server has refused for want of a permission: those
// on the subject, or all of them if it is that of the answers.
func (r *requests) refuse(e *ForbiddenError) {
	deaf := e.Listen && e.Subject == r.prefix+"*"
	if e.Listen && !deaf {
		return
	}
	var refused []receiver
	r.mu.Lock()
	if deaf {
		r.deaf = e
	}
	for token, request := range r.open {
		if deaf || request.subject == e.Subject {
			refused = append(refused, request.to)
			delete(r.open, token)
		}
	}
	r.mu.Unlock()
	for _, to := range refused {
		to.answered(nil, e)
	}
}

// hear tries again to listen to answers, over a new connection.
func (r *requests) hear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deaf = nil
}

// take removes a request. Whoever gets it owes its receiver the answer.
func (r *requests) take(token uint64) (receiver, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	request, ok := r.open[token]
	delete(r.open, token)
	return request.to, ok
}

// receive runs on the subscription's goroutine.
func (r *requests) receive(m *nats.Msg) {
	token, err := strconv.ParseUint(strings.TrimPrefix(m.Subject, r.prefix), 36, 64)
	if err != nil {
		return
	}
	to, ok := r.take(token)
	if !ok {
		return // given up
	}
	if len(m.Data) == 0 && len(m.Header) > 0 && m.Header.Get("Status") == statusNoResponders {
		to.answered(nil, nats.ErrNoResponders)
		return
	}
	to.answered(m, nil)
}

// sweep gives up what is overdue and comes again while anything is open.
func (r *requests) sweep() {
	r.mu.Lock()
	r.sweeps++
	var overdue []receiver
	for token, request := range r.open {
		if request.due != 0 && request.due <= r.sweeps {
			overdue = append(overdue, request.to)
			delete(r.open, token)
		}
	}
	r.sweeping = len(r.open) > 0
	if r.sweeping {
		time.AfterFunc(sweepEvery, r.sweep)
	}
	r.mu.Unlock()
	for _, to := range overdue {
		to.answered(nil, context.DeadlineExceeded)
	}
}

// failAll ends every open request: its answer will not come any more.
func (r *requests) failAll(err error) {
	r.mu.Lock()
	failed := r.open
	r.open = map[uint64]openRequest{}
	r.mu.Unlock()
	for _, request := range failed {
		request.to.answered(nil, err)
	}
}

// waiter is a caller that waits for its answer.
type waiter struct{ done chan answer }

type answer struct {
	msg *nats.Msg
	err error
}

// waiters are kept for use by later requests. One whose answer may still come is
// never given back.
var waiters = sync.Pool{New: func() any { return &waiter{done: make(chan answer, 1)} }}

func (w *waiter) answered(m *nats.Msg, err error) { w.done <- answer{m, err} }

// do sends a request and waits for the answer, until the context ends or, if it has
// no deadline, for the usual time.
func (r *requests) do(ctx context.Context, msg *nats.Msg) (*nats.Msg, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	_, bounded := ctx.Deadline()
	w := waiters.Get().(*waiter)
	token, err := r.start(msg, !bounded, w)
	if err != nil {
		waiters.Put(w)
		return nil, err
	}
	select {
	case a := <-w.done:
		waiters.Put(w)
		return a.msg, a.err
	case <-ctx.Done():
	}
	if _, mine := r.take(token); !mine {
		<-w.done // on its way
	}
	waiters.Put(w)
	return nil, ctx.Err()
}
