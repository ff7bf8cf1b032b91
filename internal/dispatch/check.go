package dispatch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// rules is what a command is checked against once it is known to be well formed.
type rules struct {
	// accounts by vendor and name.
	accounts map[string]map[string]*Account
	secrets  Secrets
	// plaintext accepts passwords as plain strings.
	plaintext bool
}

func newRules(o Options) rules {
	r := rules{accounts: map[string]map[string]*Account{}, secrets: o.Secrets, plaintext: o.AllowPlaintext}
	for i := range o.Accounts {
		a := &o.Accounts[i]
		if r.accounts[a.Facts.Name] == nil {
			r.accounts[a.Facts.Name] = map[string]*Account{}
		}
		r.accounts[a.Facts.Name][a.Name] = a
	}
	return r
}

// rejected is a refusal with status rejected.
func rejected(code, message, hint string) *events.Refusal {
	return &events.Refusal{Status: events.Rejected, Code: code, Message: message, Hint: hint}
}

// check applies the rules in the contract's order; the first that fails answers.
// Event, type, data and subject have been checked before.
func (r rules) check(c events.Command, now time.Time) *events.Refusal {
	account, refusal := r.account(c)
	if refusal != nil {
		return refusal
	}
	for _, rule := range []func(events.Command, *Account) *events.Refusal{
		checkRegion, checkSupported, checkAllowed, r.checkPlaintext, r.checkSecret,
	} {
		if refusal := rule(c, account); refusal != nil {
			return refusal
		}
	}
	if deadline := c.Deadline(account.Expiry[c.Priority]); !now.Before(deadline) {
		return expired(deadline)
	}
	return nil
}

// expired is the refusal of a command whose time has passed.
func expired(deadline time.Time) *events.Refusal {
	return &events.Refusal{
		Status: events.Expired, Code: events.ReasonExpired,
		Message: "the command's time passed at " + deadline.UTC().Format(time.RFC3339) + " before it could start",
		Hint:    "send it again if it is still wanted; the token is free",
	}
}

func (r rules) account(c events.Command) (*Account, *events.Refusal) {
	ofVendor, ok := r.accounts[c.Vendor]
	if !ok {
		return nil, rejected(events.ReasonUnknownVendor, fmt.Sprintf("vendor %q has no account here", c.Vendor),
			"vendors with accounts: "+list(keys(r.accounts)))
	}
	a, ok := ofVendor[c.Account]
	if !ok {
		return nil, rejected(events.ReasonUnknownAccount, fmt.Sprintf("account %q is not configured for vendor %s", c.Account, c.Vendor),
			"accounts of "+c.Vendor+": "+list(keys(ofVendor)))
	}
	return a, nil
}

func checkRegion(c events.Command, a *Account) *events.Refusal {
	if slices.Contains(a.Regions, c.Region) {
		return nil
	}
	return rejected(events.ReasonUnknownRegion, fmt.Sprintf("region %q is not configured for account %s", c.Region, a.Name),
		"regions of "+a.Name+": "+list(a.Regions))
}

func checkSupported(c events.Command, a *Account) *events.Refusal {
	if !a.Facts.Supports(vendors.Operation(c.Operation)) {
		return rejected(events.ReasonOperationUnsupported, fmt.Sprintf("%s has no %s", c.Vendor, c.Operation),
			c.Vendor+" offers "+list(operationsOf(a.Facts)))
	}
	if !c.Parameters.TimePoint.IsZero() && !a.Facts.PointInTime {
		return rejected(events.ReasonOperationUnsupported, c.Vendor+" cannot restore to a point in time",
			"give parameters.backupId instead of parameters.timePoint")
	}
	return nil
}

func checkAllowed(c events.Command, a *Account) *events.Refusal {
	if a.Allow[c.Operation] {
		return nil
	}
	return rejected(events.ReasonOperationNotAllowed, fmt.Sprintf("%s is not switched on for account %s", c.Operation, a.Name),
		"add it to the account's allow list in the configuration, if it is meant to be possible")
}

func (r rules) checkPlaintext(c events.Command, _ *Account) *events.Refusal {
	if p := c.Parameters.Password; p == nil || p.Plain.Empty() || r.plaintext {
		return nil
	}
	return rejected(events.ReasonPlaintextSecret, "parameters.password is a plain string",
		`seal it with "consumer seal", name a file with secretRef, or set secrets.allowPlaintext`)
}

func (r rules) checkSecret(c events.Command, _ *Account) *events.Refusal {
	if _, err := r.password(c); err != nil {
		return rejected(events.ReasonSecretUnavailable, "the instance password cannot be read: "+err.Error(),
			"see that the secret exists on the consumer, or seal it to the consumer's present key")
	}
	return nil
}

// password opens the command's password; empty if it has none.
func (r rules) password(c events.Command) (secret.Text, error) {
	p := c.Parameters.Password
	switch {
	case p == nil:
		return secret.Text{}, nil
	case !p.Plain.Empty():
		return p.Plain, nil
	case r.secrets == nil:
		return secret.Text{}, errors.New("no secrets are configured")
	case p.SecretRef != "":
		return r.secrets.ByRef(p.SecretRef)
	}
	return r.secrets.Unseal(p.Sealed)
}

func operationsOf(f vendors.Facts) []string {
	var ops []string
	for _, op := range events.Operations() {
		if f.Supports(vendors.Operation(op)) {
			ops = append(ops, op)
		}
	}
	return ops
}

func keys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func list(items []string) string {
	if len(items) == 0 {
		return "none"
	}
	return strings.Join(items, ", ")
}
