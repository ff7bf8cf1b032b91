package vendors

import (
	"context"
	"time"
)

// Surveyor is a Vendor whose API shows many instances in one call.
type Surveyor interface {
	Vendor
	// Survey looks at the instances in as few calls as the API allows, at most
	// Facts.Survey of them. Those that were seen are in the answer, by their
	// ids; that one is missing proves nothing. A verdict other than Done says why
	// not all could be looked at.
	Survey(ctx context.Context, ids []string) (map[string]Sighting, Verdict)
}

// Coalescer is a Vendor whose API changes many instances in one call.
type Coalescer interface {
	Vendor
	// ExecuteMany is Execute for several requests of one operation on different
	// instances, at most Facts.Coalesce of them, as exactly one HTTP request. The
	// answer has one Verdict per request, in order. Work that is refused without
	// a reason is Unexplained: Execute by itself brings the reason out.
	ExecuteMany(ctx context.Context, reqs []Request, bases []Baseline, commit Commit) []Verdict
}

// Sighting is what a survey showed of one instance.
type Sighting struct {
	// At is when the look began.
	At time.Time
	// Detail is what was seen, in a type that only the same adapter knows. Nobody
	// changes it.
	Detail any
}

// DetailOf is the detail of the request's sighting; ok is false if there is none, or none
// of that type.
func DetailOf[T any](req Request) (detail T, ok bool) {
	if req.Seen != nil {
		detail, ok = req.Seen.Detail.(T)
	}
	return detail, ok
}

// SurveyOneByOne is a survey of instances that are looked up by themselves. One that
// is refused is left for its own look-up to report on.
func SurveyOneByOne(ids []string, look func(id string) (Sighting, Verdict)) (map[string]Sighting, Verdict) {
	seen := map[string]Sighting{}
	for _, id := range ids {
		switch s, v := look(id); v.Kind {
		case Done:
			seen[id] = s
		case Refused:
		default:
			return seen, v
		}
	}
	return seen, Verdict{Kind: Done}
}
