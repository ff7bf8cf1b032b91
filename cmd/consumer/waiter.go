package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
)

// mostOpenListed bounds the list of what is still open.
const mostOpenListed = 20

// resultsOf selects the results that can answer commands like this one from now on.
func resultsOf(subjects events.Subjects, c events.Command) broker.ResultFilter {
	subject := subjects.Result(c.NewResult(events.Succeeded))
	return broker.ResultFilter{Subject: strings.TrimSuffix(subject, events.Succeeded) + "*", New: true}
}

// asked identifies a command in the headers of its results.
type asked struct{ key, id string }

// waiter picks the answers to its own commands out of the results.
type waiter struct {
	s       std
	client  *client
	json    bool
	color   bool
	timeout time.Duration
	// order lists what was stored; open holds what has no final result yet.
	order    []asked
	open     map[asked]events.Command
	accepted map[asked]bool
	counts   map[string]int
	bar      *progress
}

func newWaiter(p *sender, orders []*order, timeout time.Duration) *waiter {
	w := &waiter{
		s: p.s, client: p.client, json: p.json, color: colorOn(p.s.out), timeout: timeout, bar: newProgress(p.s.err),
		open: map[asked]events.Command{}, accepted: map[asked]bool{}, counts: map[string]int{},
	}
	for _, o := range orders {
		if o.stored {
			id := asked{o.command.Key, o.command.Event.ID}
			w.order = append(w.order, id)
			w.open[id] = o.command
		}
	}
	return w
}

// wait returns nil when every command has succeeded. ctx ends with the process,
// waiting also with --timeout.
func (w *waiter) wait(ctx, waiting context.Context, results <-chan broker.ResultMessage) error {
	defer w.bar.clear()
	for len(w.open) > 0 {
		w.bar.show("%s", w.state())
		select {
		case m, following := <-results:
			if !following && waiting.Err() == nil {
				return w.stillOpen("the results can be followed no longer (" + w.client.ended().Error() + ")")
			}
			if !following {
				return w.stillOpen(w.whyEnded(ctx))
			}
			if err := w.take(m); err != nil {
				return err
			}
		case <-waiting.Done():
			return w.stillOpen(w.whyEnded(ctx))
		}
	}
	if w.counts[events.Succeeded] < len(w.order) {
		return errSilent
	}
	return nil
}

// take handles one result, if it answers one of ours.
func (w *waiter) take(m broker.ResultMessage) error {
	id := asked{headerOf(m.Header, "Sluice-Token-Key"), headerOf(m.Header, "Sluice-Causation-Id")}
	if _, ours := w.open[id]; !ours {
		return nil
	}
	e, err := events.DecodeResult(m.Data)
	if err != nil {
		return fmt.Errorf("the answer in message %d on %s: %w", m.Sequence, m.Subject, err)
	}
	w.bar.clear()
	if w.json {
		if err := writeEvent(w.s.out, m.Data); err != nil {
			return err
		}
	}
	if !e.Data.Final {
		w.accepted[id] = true
		return nil
	}
	delete(w.open, id)
	delete(w.accepted, id)
	w.counts[e.Data.Status]++
	if w.json {
		return nil
	}
	line := joinNonEmpty("  ", paddedStatus(e.Data.Status, w.color), printable(e.Data.InstanceID), resultDetails(e.Data))
	_, err = fmt.Fprintln(w.s.out, line)
	return err
}

// state is the progress in words: n of m done, and how.
func (w *waiter) state() string {
	parts := []string{fmt.Sprintf("%d of %d done", len(w.order)-len(w.open), len(w.order))}
	for _, status := range statuses() {
		if n := w.counts[status]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, status))
		}
	}
	if n := len(w.accepted); n > 0 {
		parts = append(parts, fmt.Sprintf("%d at work", n))
	}
	return strings.Join(parts, ", ")
}

// whyEnded tells an interruption from a timeout.
func (w *waiter) whyEnded(ctx context.Context) string {
	if ctx.Err() != nil {
		return "interrupted"
	}
	return fmt.Sprintf("no final result within %s", w.timeout)
}

// stillOpen says what has no final result yet, and how to look for it.
func (w *waiter) stillOpen(why string) error {
	w.bar.clear()
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s; the commands go on; still open:", why, w.state())
	listed := 0
	for _, id := range w.order {
		c, open := w.open[id]
		if !open {
			continue
		}
		if listed++; listed > mostOpenListed {
			fmt.Fprintf(&b, "\n  and %d more; see %q", len(w.open)-mostOpenListed, "consumer watch")
			break
		}
		fmt.Fprintf(&b, "\n  %s: consumer status %s", printable(c.InstanceID), shellWord(c.Token))
	}
	return errors.New(b.String())
}

// shellWord is a text as one word of a shell.
func shellWord(s string) string {
	plain := strings.IndexFunc(s, func(r rune) bool { return !isSubjectRune(r) && !strings.ContainsRune("./:@%+=,", r) }) < 0
	if s != "" && plain {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
