package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/seed-7b870224/sluice/schemas"
)

const resultSchema = "result.v1.json"

// commandSchema is the file name of the schema of an operation's command data.
func commandSchema(operation string) string { return "command." + operation + ".v1.json" }

// compiled holds the schemas by file name. They are embedded, so that a failure
// to compile is a programming error that every test meets.
var compiled = sync.OnceValue(func() map[string]*jsonschema.Schema {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	// The library's date-time knows leap seconds, which Go's clock does not: what
	// the schema accepts must be readable. Go's zero time would pass for absent.
	c.RegisterFormat(&jsonschema.Format{Name: "date-time", Validate: func(v any) error {
		s, ok := v.(string)
		if !ok {
			return nil
		}
		t, err := parseTime(s)
		if err == nil && t.IsZero() {
			err = errNoTimestamp
		}
		return err
	}})
	out := map[string]*jsonschema.Schema{}
	names := []string{resultSchema}
	for _, op := range Operations() {
		names = append(names, commandSchema(op))
	}
	for _, name := range names {
		out[name] = compile(c, name)
	}
	return out
})

func compile(c *jsonschema.Compiler, name string) *jsonschema.Schema {
	raw, err := schemas.FS.ReadFile(name)
	if err != nil {
		panic(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		panic(fmt.Errorf("schema %s: %w", name, err))
	}
	if err := c.AddResource(name, doc); err != nil {
		panic(fmt.Errorf("schema %s: %w", name, err))
	}
	return c.MustCompile(name)
}

// validate checks a document made by tree and returns the first problem. data is
// the text the document was made of, for the order of its members.
func validate(schema string, doc any, data []byte) *problem {
	s := compiled()[schema]
	err := s.Validate(doc)
	if err == nil {
		return nil
	}
	var failure *jsonschema.ValidationError
	if !errors.As(err, &failure) {
		return &problem{what: "cannot be checked against the schema " + schema}
	}
	return first(problemsOf(failure, s), data)
}

// maxDepth is how deep a document is read: data, parameters, password and what is
// in it. The schemas refuse whatever has a value below that, so that its content
// does not matter.
const maxDepth = 3

// tree makes of valid JSON what the validator reads. It finds names that are
// given twice, of which other decoders would silently keep the last; they are
// left out.
func tree(value []byte, depth int) (any, *problem) {
	switch value[0] {
	case '{':
		return object(value, depth)
	case '[':
		return []any{}, nil // no schema of a command has a list
	case '"':
		return text(value), nil
	case 't':
		return true, nil
	case 'f':
		return false, nil
	case 'n':
		return nil, nil
	}
	return json.Number(value), nil
}

func object(value []byte, depth int) (any, *problem) {
	if depth > maxDepth {
		return map[string]any{}, nil
	}
	var found *problem
	all, _ := members(value)
	out := make(map[string]any, len(all)+1)
	for _, m := range all {
		v, bad := tree(m.value, depth+1)
		if bad != nil && found == nil {
			found = &problem{pointer: child("", m.name) + bad.pointer, what: bad.what}
		}
		out[m.name] = v
	}
	if name, twice := repeated(all); twice {
		found = &problem{pointer: child("", name), what: "is given twice"}
		delete(out, name)
	}
	return out, found
}
