package dispatch

import (
	"encoding/json"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/ledger"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// mark is a note to be made of the newest attempt.
type mark func(*ledger.Attempt)

// on makes the note, if there is an attempt whose end is still open.
func (m mark) on(rec *ledger.Record) {
	if last := rec.Last(); last != nil && rec.State == ledger.Sending && m != nil {
		m(last)
	}
}

// answered notes the answer to a call.
func answered(v vendors.Verdict) mark {
	return func(last *ledger.Attempt) {
		last.Verdict, last.Answered, last.Answer = v.Kind.String(), time.Now().UTC(), answerJSON(v.Response)
	}
}

// answerJSON encodes the vendor's words; nil if there are none.
func answerJSON(resp vendors.Response) json.RawMessage {
	words := wordsOf(resp)
	if words == nil {
		return nil
	}
	return words.AppendJSON(make([]byte, 0, 128))
}

// accept records asynchronous work and announces it.
func (r *run) accept(v vendors.Verdict, note mark) error {
	task := v.Task
	if task.AcceptedAt.IsZero() {
		task.AcceptedAt = time.Now().UTC()
	}
	encoded, err := json.Marshal(task)
	if err != nil {
		return err
	}
	return r.save(func(rec *ledger.Record) {
		note.on(rec)
		rec.State, rec.Task, rec.AcceptedAt = ledger.Accepted, encoded, task.AcceptedAt
	})
}

// succeed ends the command well.
func (r *run) succeed(v vendors.Verdict) error {
	return r.finish(events.Succeeded, v, "", "", answered(v))
}

// fail ends the command with the verdict's reason.
func (r *run) fail(v vendors.Verdict) error {
	reason, message := v.Reason, v.Message
	if reason == "" {
		reason = events.ReasonVendorError
	}
	if message == "" {
		message = "the vendor answered " + v.Kind.String()
	}
	return r.finish(events.Failed, v, reason, message, answered(v))
}

// finish stores the outcome first and announces it then: a crash in between
// repeats the announcement from the ledger. With the outcome recorded nothing more will
// be done to the instance, and the next command may have it.
func (r *run) finish(status string, v vendors.Verdict, reason, message string, note mark) error {
	hint := hints[reason]
	_, settle := r.enter(r.hard(), "settle")
	err := r.save(func(rec *ledger.Record) {
		note.on(rec)
		rec.State = ledger.Final
		rec.Outcome = &ledger.Outcome{
			Status: status, Code: reason, Message: message, Hint: hint,
			Answer: answerJSON(v.Response), Finished: time.Now().UTC(),
		}
	})
	settle.failed(err)
	if err != nil {
		return err
	}
	r.words = &v.Response
	r.free()
	return r.announce()
}

// timeUp ends a command that could not start in time. If nothing was ever sent
// for it, its token is free again.
func (r *run) timeUp(v vendors.Verdict) error {
	if r.entry.Attempts > 0 || v.Kind == vendors.Busy {
		if v.Kind == 0 {
			v = r.lastVerdict()
		}
		return r.fail(v)
	}
	err := r.save(func(rec *ledger.Record) {
		rec.Free()
		rec.TellExpired(eventKey(r.first))
	})
	if err != nil {
		return err
	}
	if err := r.account.answers.refuse(r.hard(), r.first, expired(r.expiry())); err != nil {
		return err
	}
	if sameEvent(r.first, r.cmd) {
		return errAnswered
	}
	return errFreed
}

// lastVerdict rebuilds the verdict of the newest attempt, for a command whose
// time ran out while it waited for another.
func (r *run) lastVerdict() vendors.Verdict {
	v := vendors.Verdict{Kind: vendors.Transient, Reason: events.ReasonVendorUnavailable,
		Message: "the command expired before it could be tried again; nothing ran"}
	last := r.entry.Last()
	if last == nil {
		return v
	}
	v.Response = responseOf(last.Answer)
	switch last.Verdict {
	case vendors.Busy.String():
		v.Kind, v.Reason = vendors.Busy, events.ReasonInstanceBusy
	case vendors.Throttled.String():
		v.Kind, v.Reason = vendors.Throttled, events.ReasonQuotaExhausted
	case vendors.Unexplained.String():
		v.Kind, v.Reason = vendors.Refused, events.ReasonVendorRefused
	case vendors.Unauthorized.String():
		v.Kind, v.Reason = vendors.Unauthorized, events.ReasonUnauthorized
	}
	return v
}

// announce publishes the outcome under the first command's own id.
func (r *run) announce() error {
	return r.account.answers.result(r.hard(), r.first, r.outcome(r.first), false)
}

// announceAgain answers a delivery whose token is already final: the same event
// gets the same result, any other the outcome marked as a duplicate.
func (r *run) announceAgain() error {
	if sameEvent(r.first, r.cmd) {
		return r.announce()
	}
	return r.answerDuplicate()
}

// answerOthers answers the driving delivery if it is not the first command's
// own: then it took over work whose own message comes later.
func (r *run) answerOthers() error {
	if sameEvent(r.first, r.cmd) {
		return nil
	}
	return r.answerDuplicate()
}

func (r *run) answerDuplicate() error {
	res := r.outcome(r.cmd)
	res.Duplicate = true
	return r.account.answers.result(r.hard(), r.cmd, res, true)
}

// outcome is the recorded outcome as a result for one command.
func (r *run) outcome(c events.Command) events.Result {
	o := r.entry.Outcome
	res := r.facts(c, o.Status)
	res.Times.Finished = events.At(o.Finished)
	res.VendorResponse = r.vendorResponse(r.lastWords())
	if o.Code != "" {
		res.Reason = &events.Reason{Code: o.Code, Message: o.Message, Hint: o.Hint}
	}
	return res
}

// facts is what every result of this record says.
func (r *run) facts(c events.Command, status string) events.Result {
	res := c.NewResult(status)
	res.Attempts = r.entry.Attempts
	res.Times.Started = events.At(r.entry.Started)
	res.Times.Accepted = events.At(r.entry.AcceptedAt)
	return res
}

// lastWords are the vendor's, as the outcome has them.
func (r *run) lastWords() vendors.Response {
	if r.words != nil {
		return *r.words
	}
	return responseOf(r.entry.Outcome.Answer)
}

// vendorResponse adds to the vendor's words the task that was followed.
func (r *run) vendorResponse(resp vendors.Response) *events.VendorResponse {
	if resp.TaskID == "" && len(r.entry.Task) > 0 {
		var task vendors.Task
		_ = json.Unmarshal(r.entry.Task, &task)
		resp.TaskID = task.ID
	}
	return wordsOf(resp)
}

// responseOf decodes recorded words of the vendor.
func responseOf(answer json.RawMessage) (resp vendors.Response) {
	if len(answer) > 0 {
		_ = json.Unmarshal(answer, &resp)
	}
	return resp
}
