package dispatch

import (
	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// situation is everything a decision about an answer may depend on.
type situation struct {
	// Kind is the class of the answer.
	Kind vendors.Kind
	// Tries counts failed calls and look-ups of this command, this one
	// included; MaxTries is where retry.attempts ends them.
	Tries, MaxTries int
	// Sent reports that an intent was recorded for this command at some time.
	Sent bool
	// Expired reports that the command's time has passed.
	Expired bool
	// Repeated reports that the same refusal of our credentials was met before
	// and that a probe has succeeded since: the key works, but not for this.
	Repeated bool
}

// step is what is done next.
type step int

const (
	stepSucceed   step = iota + 1 // settle: succeeded
	stepFollow                    // record the task, announce accepted, poll to the end
	stepReconcile                 // find out before anything else
	stepRetry                     // again after a backoff, spending an attempt
	stepThrottle                  // again when the slowed limiter lets it, free of charge
	stepWait                      // again when the instance may be free, until expiry
	stepHold                      // again when the breaker has closed
	stepAlone                     // again in a call of its own, to learn the reason
	stepFail                      // settle: failed, with the answer's reason
	stepExpire                    // settle: expired, the token is free again
	stepAbandon                   // our own fence said no: let go, the owner goes on
)

// String names the step as the documentation does.
func (s step) String() string {
	return [...]string{"", "succeed", "follow", "reconcile", "retry", "throttle", "wait", "hold", "alone", "fail", "expire", "abandon"}[s]
}

// decide is the one place where an answer becomes a next step. It is pure.
func decide(s situation) step {
	switch s.Kind {
	case vendors.Done:
		return stepSucceed
	case vendors.Accepted:
		return stepFollow
	case vendors.Ambiguous:
		return stepReconcile
	case vendors.Refused:
		return stepFail
	case vendors.Withheld:
		return stepAbandon
	case vendors.Busy:
		if s.Expired {
			return stepFail
		}
		return stepWait
	case vendors.Throttled:
		return unlessExpired(s, stepThrottle)
	case vendors.Unexplained:
		return unlessExpired(s, stepAlone)
	case vendors.Unauthorized:
		if s.Repeated {
			return stepFail
		}
		return unlessExpired(s, stepHold)
	case vendors.Transient:
		if s.Tries >= s.MaxTries {
			return stepFail
		}
		return unlessExpired(s, stepRetry)
	}
	// An answer of no known class may mean anything.
	return stepReconcile
}

// unlessExpired ends a command whose time has passed: as expired if nothing was
// ever sent for it, otherwise as failed.
func unlessExpired(s situation, next step) step {
	switch {
	case !s.Expired:
		return next
	case s.Sent:
		return stepFail
	}
	return stepExpire
}

// hints say what a person can do about a reason.
var hints = map[string]string{
	events.ReasonInstanceNotFound:  "check the instance id and that the account and region own it",
	events.ReasonInstanceState:     "bring the instance into a running state, then send a command with a new token",
	events.ReasonInstanceBusy:      "other work held the instance until the command expired; send a command with a new token",
	events.ReasonBackupNotFound:    "list the instance's backups at the vendor and send a command with a new token",
	events.ReasonBackupUnusable:    "choose a backup that is complete and not expired, and send a command with a new token",
	events.ReasonPasswordInvalid:   "correct the instance password and send a command with a new token",
	events.ReasonUnauthorized:      "check the account's key, its permissions and the host's clock, then send a command with a new token",
	events.ReasonQuotaExhausted:    "other programs use up the account's quota; ask the vendor for more, or send the command again with a new token",
	events.ReasonVendorUnavailable: "nothing ran; see whether the vendor's endpoint is reachable, then send a command with a new token",
	events.ReasonTaskFailed:        "the vendor's task failed; look at the instance at the vendor before you send another command",
	events.ReasonTrackTimeout:      "the vendor took the work but did not finish it in time; look at the instance at the vendor",
	events.ReasonOutcomeUnknown:    "it may have run: look at the instance and its task history at the vendor before you send a command with a new token",
	events.ReasonVendorRefused:     "the vendor refused the call for the reason given; correct the command and send it with a new token",
}
