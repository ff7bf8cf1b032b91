package broker

import (
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

// Headers of an atomic batch.
const (
	headerBatch         = "Nats-Batch-Id"
	headerBatchSequence = "Nats-Batch-Sequence"
	headerBatchCommit   = "Nats-Batch-Commit"
)

// errNoBatch says that the answer to a batch is not one: a server that knows no
// batches may have stored some of its messages and refused others.
var errNoBatch = errors.New("the server did not take the batch for one")

// batch is writes that are stored all or none.
type batch struct {
	group   *group
	id      string
	members []*write
	// late are single writes that would spoil the batch if they came first.
	late []*write
}

// batchIDs makes the names of batches: those of one process differ in the number.
var (
	batchPrefix = nuid.Next()
	batchNumber atomic.Uint64
)

func (b *batch) send() {
	if err := b.publish(); err != nil {
		b.answered(nil, err)
	}
}

// publish sends all members. Only the last is answered, for all of them. One that
// cannot be sent means that none is stored: without the last the server forgets the
// others.
func (b *batch) publish() error {
	b.id = batchPrefix + strconv.FormatUint(batchNumber.Add(1), 36)
	id := []string{b.id}
	requests := b.group.conn.requests
	last := len(b.members) - 1
	for i, w := range b.members {
		w.msg.Header[headerBatch] = id
		w.msg.Header[headerBatchSequence] = []string{strconv.Itoa(i + 1)}
		w.msg.Reply = ""
		if i == last {
			break
		}
		if err := requests.nc.PublishMsg(w.msg); err != nil {
			return err
		}
	}
	b.members[last].msg.Header[headerBatchCommit] = []string{"1"}
	_, err := requests.start(b.members[last].msg, true, b)
	return err
}

// answered takes the stream's answer. An unknown outcome is one for every member; a
// refusal means that none is stored, and each is told its own reason by going again.
func (b *batch) answered(m *nats.Msg, err error) {
	var last uint64
	if err == nil {
		last, err = b.read(m.Data)
	}
	var refusal *jetstream.APIError
	if errors.Is(err, nats.ErrNoResponders) || errors.As(err, &refusal) {
		go b.again(refusal)
		return
	}
	for i, w := range b.members {
		w.done <- outcome{last - uint64(len(b.members)-1-i), err}
	}
	b.leave(err == nil)
}

// read returns the sequence of the last member.
func (b *batch) read(data []byte) (uint64, error) {
	ack, err := parseAck(data)
	if err == nil && (ack.Batch != b.id || ack.Count != len(b.members)) {
		err = fmt.Errorf("stream %s: %w", b.group.stream, errNoBatch)
	}
	if errors.Is(err, errNoBatch) {
		b.group.takes.Store(false)
	}
	return ack.Sequence, err
}

// leave makes room for the next batch. What was to come late need not wait for a
// stored one any longer.
func (b *batch) leave(stored bool) {
	g := b.group
	g.mu.Lock()
	var late []*write
	g.inBatch -= len(b.members)
	if stored {
		g.meter.batch(len(b.members), g.pending())
		late = g.release(b.late)
	} else {
		g.late = append(b.late, g.late...)
	}
	g.batches--
	next := g.next()
	g.mu.Unlock()
	next.singles = append(late, next.singles...)
	next.send()
}

// again sends the members of a refused batch. If one of them lost, halves find it in
// few steps, and most of the others still go together.
func (b *batch) again(refusal *jetstream.APIError) {
	for _, w := range b.members {
		delete(w.msg.Header, headerBatch)
		delete(w.msg.Header, headerBatchSequence)
		delete(w.msg.Header, headerBatchCommit)
	}
	g := b.group
	half := len(b.members) / 2
	if half >= minBatch && spoiled(refusal) {
		g.mu.Lock()
		g.batches++ // two for one
		g.mu.Unlock()
		(&batch{group: g, members: b.members[:half]}).send()
		(&batch{group: g, members: b.members[half:], late: b.late}).send()
		return
	}
	g.mu.Lock()
	if refusal != nil && refusal.ErrorCode == codeBatchesDisabled {
		g.takes.Store(false)
	}
	g.singles += len(b.members)
	g.mu.Unlock()
	for _, w := range b.members {
		w.send()
	}
	b.leave(false)
}

// spoiled recognises that a batch was refused because of one of its members.
func spoiled(refusal *jetstream.APIError) bool {
	if refusal == nil {
		return false
	}
	switch refusal.ErrorCode {
	case jetstream.JSErrCodeStreamWrongLastSequence, jetstream.JSErrCodeStreamWrongLastSequenceConstant, codeBatchDuplicate:
		return true
	}
	return false
}
