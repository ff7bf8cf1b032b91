package rival

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-7b870224/sluice/internal/events"
)

// key is the subject of a token's record.
func (j *Job) key(c Command) string {
	return "$KV." + j.Prefix + "_ledger.op." + events.TokenKey(c.Data.ClientToken)
}

// record writes a record by compare-and-set; revision 0 is for a new one.
func (j *Job) record(ctx context.Context, c Command, r Record, revision uint64) write {
	data, err := json.Marshal(r)
	if err != nil {
		return write{err: fmt.Errorf("encode the record: %w", err)}
	}
	return j.publish(ctx, &nats.Msg{Subject: j.key(c), Data: data, Header: nats.Header{
		jetstream.ExpectedLastSubjSeqHeader: {strconv.FormatUint(revision, 10)},
	}})
}

// answer publishes a result.
func (j *Job) answer(ctx context.Context, c Command, status string, duplicate bool) write {
	msg, err := j.ResultMsg(c, status, duplicate)
	if err != nil {
		return write{err: err}
	}
	return j.publish(ctx, msg)
}

// ResultMsg is the message of a result.
func (j *Job) ResultMsg(c Command, status string, duplicate bool) (*nats.Msg, error) {
	id := events.TokenKey(c.Data.ClientToken) + "." + status
	if duplicate {
		id += "." + events.EventKey(c.Source, c.ID)
	}
	d := c.Data
	data, err := json.Marshal(Result{
		SpecVersion: "1.0", ID: id, Source: "/rival/" + d.Vendor + "/" + d.Account + "/" + d.Region, Type: "dev.rival.result." + status + ".v1",
		Subject: d.InstanceID, Time: time.Now().UTC(), ContentType: "application/json",
		Data: ResultData{d.ClientToken, d.Vendor, d.Account, d.Region, d.InstanceID, status, true, duplicate, c.ID},
	})
	if err != nil {
		return nil, fmt.Errorf("encode the result: %w", err)
	}
	return &nats.Msg{
		Subject: j.Prefix + ".results." + d.Vendor + "." + d.Account + "." + d.Region + ".flush." + status, Data: data,
		Header: nats.Header{jetstream.MsgIDHeader: {id}, "Content-Type": {"application/cloudevents+json"}},
	}, nil
}

// write is a publish that was sent, or failed, or whose answer is here already.
type write struct {
	future   jetstream.PubAckFuture
	sequence uint64
	err      error
}

func (j *Job) publish(ctx context.Context, msg *nats.Msg) write {
	if j.Async {
		future, err := j.JS.PublishMsgAsync(msg)
		return write{future: future, err: err}
	}
	ack, err := j.JS.PublishMsg(ctx, msg)
	if err != nil {
		return write{err: err}
	}
	return write{sequence: ack.Sequence}
}

// wait returns when the write is stored.
func (w write) wait(ctx context.Context) (uint64, error) {
	if w.err != nil || w.future == nil {
		return w.sequence, w.err
	}
	select {
	case ack := <-w.future.Ok():
		return ack.Sequence, nil
	case err := <-w.future.Err():
		return 0, err
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// conflict reports whether a compare-and-set was lost.
func conflict(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}
