// Package rival is the job that the rivals do, in steps: claim a token, record the
// intent, call the vendor, record the outcome, answer. It keeps less than Sluice
// promises: calls are not signed, instances not looked at and no pace is kept, and
// a command whose process dies between intent and outcome stays where it is.
package rival

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ErrInFlight means that another command works on the token: ask again soon.
var ErrInFlight = errors.New("another command works on this token")

// Options of a job.
type Options struct {
	// NATS and Vendor are the URLs of the server and of the vendor's end.
	NATS, Vendor string
	// Prefix of subjects and streams.
	Prefix string
	// Workers is how many commands are worked on at a time.
	Workers int
	// Async publishes without waiting for each answer before the next write
	// where the order of the two does not matter.
	Async bool
}

// Job does the steps for any number of commands at a time.
type Job struct {
	Options
	// JS is the connection's JetStream.
	JS     jetstream.JetStream
	ledger jetstream.Stream
	client *http.Client
}

// Connect makes a job. The streams and the bucket must be there.
func Connect(ctx context.Context, o Options) (*Job, error) {
	nc, err := nats.Connect(o.NATS, nats.MaxReconnects(-1))
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(8*o.Workers))
	if err != nil {
		return nil, fmt.Errorf("use JetStream: %w", err)
	}
	ledger, err := js.Stream(ctx, "KV_"+o.Prefix+"_ledger")
	if err != nil {
		return nil, fmt.Errorf("look at the bucket: %w", err)
	}
	transport := &http.Transport{MaxConnsPerHost: vendorConns, MaxIdleConnsPerHost: vendorConns, DisableCompression: true}
	return &Job{Options: o, JS: js, ledger: ledger, client: &http.Client{Transport: transport, Timeout: 10 * time.Second}}, nil
}

// vendorConns is how many calls are under way at a time; more only wait for the
// processor.
const vendorConns = 32

// Consumer is the durable consumer of all commands.
func (j *Job) Consumer(ctx context.Context) (jetstream.Consumer, error) {
	consumer, err := j.JS.CreateOrUpdateConsumer(ctx, strings.ToUpper(j.Prefix)+"_COMMANDS", jetstream.ConsumerConfig{
		Durable: "rival", AckPolicy: jetstream.AckExplicitPolicy, AckWait: 30 * time.Second,
		MaxAckPending: 4 * j.Workers, FilterSubject: j.Prefix + ".commands.>",
	})
	if err != nil {
		return nil, fmt.Errorf("make the consumer: %w", err)
	}
	return consumer, nil
}

// Claim takes the token. If it is taken, held is its final record, or the error
// is ErrInFlight.
func (j *Job) Claim(ctx context.Context, c Command) (revision uint64, held *Record, err error) {
	revision, err = j.record(ctx, c, Record{Token: c.Data.ClientToken, State: claimed, Command: c.raw}, 0).wait(ctx)
	if !conflict(err) {
		return revision, nil, err
	}
	msg, err := j.ledger.GetLastMsgForSubject(ctx, j.key(c))
	if err != nil {
		return 0, nil, fmt.Errorf("read the record: %w", err)
	}
	var r Record
	if err := json.Unmarshal(msg.Data, &r); err != nil {
		return 0, nil, fmt.Errorf("read the record: %w", err)
	}
	if r.State != final {
		return 0, nil, ErrInFlight
	}
	return 0, &r, nil
}

// Intend records that the call is about to be made.
func (j *Job) Intend(ctx context.Context, c Command, revision uint64) (uint64, error) {
	r := Record{Token: c.Data.ClientToken, State: sending, Command: c.raw, Attempts: 1, Started: time.Now()}
	return j.record(ctx, c, r, revision).wait(ctx)
}

// Call asks the vendor to flush the instance.
func (j *Job) Call(ctx context.Context, c Command) (status string, err error) {
	body, err := json.Marshal(map[string]string{"InstanceId": c.Data.InstanceID, "ClientToken": c.Data.ClientToken})
	if err != nil {
		return "", fmt.Errorf("call the vendor: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, j.Vendor+"/?Action=FlushDBInstance&Version=2020-12-07", bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("call the vendor: %w", err)
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	resp, err := j.client.Do(req)
	if err != nil {
		return "", fmt.Errorf("call the vendor: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return "", fmt.Errorf("call the vendor: %w", err)
	}
	var answer struct {
		ResponseMetadata struct {
			RequestID string `json:"RequestId"`
			Error     *struct{ Code string }
		}
	}
	if err := json.Unmarshal(text, &answer); err != nil || answer.ResponseMetadata.RequestID == "" {
		return "", fmt.Errorf("call the vendor: HTTP %d is no answer of the vendor's", resp.StatusCode)
	}
	if answer.ResponseMetadata.Error != nil {
		return "failed", nil
	}
	return "succeeded", nil
}

// Conclude records the outcome.
func (j *Job) Conclude(ctx context.Context, c Command, revision uint64, status string) error {
	_, err := j.record(ctx, c, concluded(c, status), revision).wait(ctx)
	return err
}

// Answer publishes the result.
func (j *Job) Answer(ctx context.Context, c Command, status string, duplicate bool) error {
	_, err := j.answer(ctx, c, status, duplicate).wait(ctx)
	return err
}

// Settle is Conclude and Answer; an asynchronous job does not wait in between.
func (j *Job) Settle(ctx context.Context, c Command, revision uint64, status string) error {
	if !j.Async {
		if err := j.Conclude(ctx, c, revision, status); err != nil {
			return err
		}
		return j.Answer(ctx, c, status, false)
	}
	outcome := j.record(ctx, c, concluded(c, status), revision)
	result := j.answer(ctx, c, status, false)
	_, err1 := outcome.wait(ctx)
	_, err2 := result.wait(ctx)
	return errors.Join(err1, err2)
}
