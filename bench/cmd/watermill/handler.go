package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/seed-7b870224/sluice/bench/internal/rival"
)

// handler is what the router does with a command.
type handler struct{ job *rival.Job }

// claim is what the middleware hands to the handler.
type claim struct {
	command  rival.Command
	revision uint64
}

type claimKey struct{}

// deduplicate lets a command through if its token was free, and answers it with
// the recorded outcome if it was not.
func (h handler) deduplicate(next message.HandlerFunc) message.HandlerFunc {
	return func(msg *message.Message) ([]*message.Message, error) {
		c, err := rival.Decode(msg.Payload)
		if err != nil {
			return nil, report(err)
		}
		revision, held, err := h.job.Claim(msg.Context(), c)
		if err != nil {
			return nil, report(err)
		}
		if held != nil {
			return h.result(c, held.Status, true)
		}
		msg.SetContext(context.WithValue(msg.Context(), claimKey{}, claim{c, revision}))
		return next(msg)
	}
}

// handle carries out a command whose token is ours.
func (h handler) handle(msg *message.Message) ([]*message.Message, error) {
	ctx := msg.Context()
	mine, ok := ctx.Value(claimKey{}).(claim)
	if !ok {
		return nil, fmt.Errorf("handle %s: the token was not claimed", msg.UUID)
	}
	revision, err := h.job.Intend(ctx, mine.command, mine.revision)
	if err != nil {
		return nil, report(err)
	}
	status, err := h.job.Call(ctx, mine.command)
	if err != nil {
		return nil, report(err)
	}
	if err := h.job.Conclude(ctx, mine.command, revision, status); err != nil {
		return nil, report(err)
	}
	return h.result(mine.command, status, false)
}

// result is what the router publishes.
func (h handler) result(c rival.Command, status string, duplicate bool) ([]*message.Message, error) {
	out, err := h.job.ResultMsg(c, status, duplicate)
	if err != nil {
		return nil, report(err)
	}
	msg := message.NewMessage(out.Header.Get("Nats-Msg-Id"), out.Data)
	msg.Metadata.Set(subjectKey, out.Subject)
	return []*message.Message{msg}, nil
}

// report says what went wrong, other than that a command has to wait.
func report(err error) error {
	if err != nil && !errors.Is(err, rival.ErrInFlight) {
		fmt.Fprintln(os.Stderr, "watermill:", err)
	}
	return err
}
