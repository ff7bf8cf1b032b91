package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/seed-7b870224/sluice/schemas"
)

// compiled holds the schemas by file name. They are embedded, so that a failure
// to compile is a programming error that every test meets.
var compiled = sync.OnceValue(func() map[string]*jsonschema.Schema {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	out := map[string]*jsonschema.Schema{}
	names := []string{"result.v1.json"}
	for _, op := range Operations() {
		names = append(names, "command."+op+".v1.json")
	}
	for _, name := range names {
		raw, err := schemas.FS.ReadFile(name)
		if err != nil {
			panic(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			panic(fmt.Errorf("schema %s: %w", name, err))
		}
		if err := c.AddResource(name, doc); err != nil {
			panic(err)
		}
		out[name] = c.MustCompile(name)
	}
	return out
})

// problem is one way in which data fails its schema.
type problem struct {
	pointer string
	what    string
	missing bool
}

// validate checks data against a schema and returns the first problem: first what
// is there and wrong, in the order of the document, then what is missing.
func validate(schema string, data []byte) *problem {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return &problem{what: "is no valid JSON"}
	}
	err = compiled()[schema].Validate(doc)
	if err == nil {
		return nil
	}
	failure, ok := err.(*jsonschema.ValidationError)
	if !ok {
		return &problem{what: "cannot be checked: " + err.Error()}
	}
	var found []problem
	collect(failure, &found)
	order := pointersInOrder(data)
	slices.SortStableFunc(found, func(a, b problem) int { return rank(a, order) - rank(b, order) })
	return &found[0]
}

// rank orders problems.
func rank(p problem, order map[string]int) int {
	if p.missing {
		return len(order) + 1 + strings.Count(p.pointer, "/")
	}
	if at, ok := order[p.pointer]; ok {
		return at
	}
	return len(order)
}

// english prints the validator's own words.
var english = message.NewPrinter(language.English)

// collect gathers the leaves of a validation error.
func collect(e *jsonschema.ValidationError, out *[]problem) {
	at := pointerOf(e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			*out = append(*out, problem{at + "/" + escapePointer(name), "is missing" + expectation(at, name), true})
		}
		return
	case *kind.AdditionalProperties:
		names := slices.Clone(k.Properties)
		slices.Sort(names)
		for _, name := range names {
			*out = append(*out, problem{at + "/" + escapePointer(name), "is not a known field", false})
		}
		return
	case *kind.FalseSchema:
		*out = append(*out, problem{at, "is not taken by this vendor", false})
		return
	case *kind.OneOf:
		*out = append(*out, problem{at, alternatives(at), false})
		return
	}
	if len(e.Causes) == 0 {
		*out = append(*out, problem{at, e.ErrorKind.LocalizedString(english), false})
		return
	}
	for _, cause := range e.Causes {
		collect(cause, out)
	}
}

// alternatives says what would be right where the schema offers a choice.
func alternatives(at string) string {
	if strings.HasSuffix(at, "/password") {
		return `must be {"secretRef": "name"}, {"sealed": "base64"} or, where the consumer allows it, a string`
	}
	return "must hold exactly one of " + at + "/backupId and " + at + "/timePoint"
}

// expectation says more of a missing member where that helps.
func expectation(at, name string) string {
	if at == "" && name == "parameters" {
		return " (with /parameters/backupId or /parameters/timePoint, and /parameters/password, where the operation and the vendor need them)"
	}
	return ""
}

func pointerOf(location []string) string {
	var b strings.Builder
	for _, part := range location {
		b.WriteString("/" + escapePointer(part))
	}
	return b.String()
}

// escapePointer is RFC 6901's.
func escapePointer(s string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(s)
}

// pointersInOrder numbers the pointers of a document in the order of its text.
func pointersInOrder(data []byte) map[string]int {
	out := map[string]int{}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var walk func(at string)
	walk = func(at string) {
		tok, err := dec.Token()
		if err != nil {
			return
		}
		if _, seen := out[at]; !seen {
			out[at] = len(out)
		}
		switch tok {
		case json.Delim('{'):
			for dec.More() {
				name, err := dec.Token()
				if err != nil {
					return
				}
				walk(at + "/" + escapePointer(fmt.Sprint(name)))
			}
			_, _ = dec.Token()
		case json.Delim('['):
			for i := 0; dec.More(); i++ {
				walk(at + "/" + strconv.Itoa(i))
			}
			_, _ = dec.Token()
		}
	}
	walk("")
	return out
}
