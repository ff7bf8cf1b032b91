package broker

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// stored is a message read from a stream without a consumer.
type stored struct {
	subject  string
	sequence uint64
	time     time.Time
	header   Header
	data     []byte
}

// getRequest selects the message: by sequence, the last of a subject, or the first
// of a subject at or after a sequence.
type getRequest struct {
	Sequence uint64 `json:"seq,omitempty"`
	Last     string `json:"last_by_subj,omitempty"`
	Next     string `json:"next_by_subj,omitempty"`
}

// getResponse is the answer of the stream's leader.
type getResponse struct {
	Error   *jetstream.APIError `json:"error"`
	Message *struct {
		Subject  string    `json:"subject"`
		Sequence uint64    `json:"seq"`
		Header   []byte    `json:"hdrs"`
		Data     []byte    `json:"data"`
		Time     time.Time `json:"time"`
	} `json:"message"`
}

// get asks the stream's leader, which has every write that was acknowledged.
func (c *Conn) get(ctx context.Context, stream string, r getRequest) (stored, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return stored{}, fmt.Errorf("stream %s: %w", stream, err)
	}
	msg, err := c.requests.do(ctx, &nats.Msg{Subject: "$JS.API.STREAM.MSG.GET." + stream, Data: body})
	if err != nil {
		return stored{}, fmt.Errorf("stream %s: %w", stream, err)
	}
	var answer getResponse
	if err := json.Unmarshal(msg.Data, &answer); err != nil {
		return stored{}, fmt.Errorf("stream %s: answer of the server: %w", stream, err)
	}
	switch m := answer.Message; {
	case answer.Error != nil && answer.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound:
		return stored{}, fmt.Errorf("stream %s: %w", stream, ErrNotFound)
	case answer.Error != nil:
		return stored{}, fmt.Errorf("stream %s: %w", stream, answer.Error)
	case m == nil:
		return stored{}, fmt.Errorf("stream %s: the server answered without a message", stream)
	}
	return leaderMessage(stream, answer)
}

func leaderMessage(stream string, answer getResponse) (stored, error) {
	m := answer.Message
	out := stored{subject: m.Subject, sequence: m.Sequence, time: m.Time, data: m.Data}
	if len(m.Header) == 0 {
		return out, nil
	}
	header, err := nats.DecodeHeadersMsg(m.Header)
	if err != nil {
		return stored{}, fmt.Errorf("stream %s: headers of message %d: %w", stream, m.Sequence, err)
	}
	out.header = Header(header)
	return out, nil
}

// remove deletes one message; that there is none is no error.
func (c *Conn) remove(ctx context.Context, stream string, sequence uint64) error {
	body := fmt.Appendf(nil, `{"seq":%d,"no_erase":true}`, sequence)
	msg, err := c.requests.do(ctx, &nats.Msg{Subject: "$JS.API.STREAM.MSG.DELETE." + stream, Data: body})
	if err != nil {
		return err
	}
	var answer struct {
		Error   *jetstream.APIError `json:"error"`
		Success bool                `json:"success"`
	}
	if err := json.Unmarshal(msg.Data, &answer); err != nil {
		return fmt.Errorf("answer of the server: %w", err)
	}
	if answer.Success || isGone(answer.Error) {
		return nil
	}
	return answer.Error
}

// isGone recognises the ways in which the server says that there is no such
// message.
func isGone(err *jetstream.APIError) bool {
	return err != nil && (err.ErrorCode == codeSequenceNotFound ||
		err.ErrorCode == codeDeleteFailed && strings.Contains(err.Description, "no message found"))
}
