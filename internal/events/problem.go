package events

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// problem is one way in which data fails its schema. Its words never hold a value
// of the data, since any may be a password in the wrong place.
type problem struct {
	// pointer is the member's JSON pointer, relative to data.
	pointer string
	what    string
	missing bool
}

// String begins with the pointer; data itself has an empty one.
func (p *problem) String() string {
	if p.pointer == "" {
		return "data " + p.what
	}
	return strings.Map(visible, clip(p.pointer)) + " " + p.what
}

// visible keeps what a name holds from acting on a terminal.
func visible(r rune) rune {
	if unicode.IsGraphic(r) {
		return r
	}
	return unicode.ReplacementChar
}

// first picks the problem to answer with: what is there and wrong, in the order
// of the document, before what is missing, in the order of the schema. Of missing
// members all are named.
func first(found []problem, data []byte) *problem {
	order := places(data)
	place := func(p problem) int {
		if at, ok := order[p.pointer]; ok && !p.missing {
			return at
		}
		return math.MaxInt
	}
	slices.SortStableFunc(found, func(a, b problem) int { return cmp.Compare(place(a), place(b)) })
	p := found[0]
	if !p.missing {
		return &p
	}
	seen := p.pointer
	for _, other := range found[1:] {
		if other.pointer != seen {
			p.what += "; " + other.String()
			seen = other.pointer
		}
	}
	return &p
}

// places numbers the members of data, of its parameters and of their password in
// the order of the text.
func places(data []byte) map[string]int {
	out := map[string]int{"": 0}
	var walk func(value []byte, at string)
	walk = func(value []byte, at string) {
		all, _ := members(value)
		for _, m := range all {
			here := child(at, m.name)
			out[here] = len(out)
			if here == "/parameters" || here == "/parameters/password" {
				walk(m.value, here)
			}
		}
	}
	walk(data, "")
	return out
}

// problemsOf gathers the leaves of a validation error.
func problemsOf(e *jsonschema.ValidationError, s *jsonschema.Schema) []problem {
	at := ""
	for _, name := range e.InstanceLocation {
		at = child(at, name)
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		return missing(k.Missing, e.InstanceLocation, at, s)
	case *kind.AdditionalProperties:
		return unknown(k.Properties, e.InstanceLocation, at, s)
	case *kind.OneOf:
		return []problem{alternatives(at, len(k.Subschemas) == 0)}
	}
	if len(e.Causes) == 0 {
		return []problem{{pointer: at, what: words(e.ErrorKind)}}
	}
	var out []problem
	for _, cause := range e.Causes {
		out = append(out, problemsOf(cause, s)...)
	}
	return out
}

func missing(names, path []string, at string, s *jsonschema.Schema) []problem {
	var out []problem
	for _, name := range names {
		what := "is missing"
		if member := lookup(s, append(slices.Clone(path), name)); member != nil && member.Description != "" {
			what += " (" + strings.TrimSuffix(member.Description, ".") + ")"
		}
		out = append(out, problem{child(at, name), what, true})
	}
	return out
}

func unknown(names, path []string, at string, s *jsonschema.Schema) []problem {
	expected := "no fields are taken here"
	if parent := lookup(s, path); parent != nil && len(parent.Properties) > 0 {
		var known []string
		for name := range parent.Properties {
			known = append(known, name)
		}
		slices.Sort(known)
		expected = "the fields are " + strings.Join(known, ", ")
	}
	var out []problem
	for _, name := range names {
		out = append(out, problem{pointer: child(at, name), what: "is not a known field; " + expected})
	}
	return out
}

// alternatives words the schemas' only choice: what a restore goes back to.
func alternatives(at string, none bool) problem {
	p := problem{pointer: at, what: "must hold exactly one of " + at + "/backupId and " + at + "/timePoint, not both"}
	if none {
		p = problem{child(at, "backupId"), "or " + at + "/timePoint is missing (what the restore goes back to)", true}
	}
	return p
}

// words says what was expected.
func words(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Type:
		return "must be of type " + strings.Join(k.Want, " or ")
	case *kind.Enum:
		return fmt.Sprintf("must be one of %v", k.Want)
	case *kind.MinLength:
		return "must not be empty"
	case *kind.MaxLength:
		return fmt.Sprintf("must have at most %d characters", k.Want)
	case *kind.Pattern:
		return patternWords[k.Want]
	case *kind.Format:
		return "must be an RFC 3339 timestamp, like 2026-01-02T03:04:05Z"
	case *kind.FalseSchema:
		return "is not taken: this vendor needs no password"
	case *kind.MinProperties, *kind.MaxProperties:
		return `must hold exactly one of secretRef and sealed`
	}
	return "is not as the schema wants it"
}

// patternWords says what the schemas' patterns mean.
var patternWords = map[string]string{
	"^[ -~]+$":                       "must be printable ASCII characters",
	"^[A-Za-z0-9_-][A-Za-z0-9._-]*$": "must be a file name: letters, digits, '.', '_' and '-', not starting with '.'",
}

// lookup finds the schema of a member.
func lookup(s *jsonschema.Schema, path []string) *jsonschema.Schema {
	for _, name := range path {
		if s = s.Properties[name]; s == nil {
			return nil
		}
	}
	return s
}

// child is the pointer of a member (RFC 6901).
func child(at, name string) string {
	return at + "/" + pointerEscapes.Replace(name)
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")
