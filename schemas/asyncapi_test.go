package schemas_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/schemas"
)

// read decodes a file of the package; JSON is YAML.
func read(t *testing.T, name string) map[string]any {
	t.Helper()
	raw, err := schemas.FS.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return doc
}

// at finds what a pointer of a reference points to; nil if nothing.
func at(doc any, pointer string) any {
	for _, name := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		if name == "" {
			continue
		}
		object, _ := doc.(map[string]any)
		doc = object[name]
	}
	return doc
}

func TestReferencesResolve(t *testing.T) {
	t.Parallel()
	files, err := schemas.FS.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	referred := map[string]bool{"asyncapi.yaml": true}
	for _, f := range files {
		doc := read(t, f.Name())
		var walk func(node any)
		walk = func(node any) {
			switch node := node.(type) {
			case []any:
				for _, inner := range node {
					walk(inner)
				}
			case map[string]any:
				ref, ok := node["$ref"].(string)
				if ok {
					file, pointer, _ := strings.Cut(ref, "#")
					target := doc
					if file != "" {
						referred[file] = true
						target = read(t, file)
					}
					if at(target, pointer) == nil {
						t.Errorf("%s: %s leads nowhere", f.Name(), ref)
					}
				}
				for _, inner := range node {
					walk(inner)
				}
			}
		}
		walk(doc)
	}
	for _, f := range files {
		if !referred[f.Name()] {
			t.Errorf("%s is not in asyncapi.yaml", f.Name())
		}
	}
}

// constants are the values of a Go file's constants whose names match.
func constants(t *testing.T, file string, match func(name string) bool) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || !spec.Names[0].IsExported() || !match(spec.Names[0].Name) {
			return true
		}
		if lit, ok := spec.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
			value, _ := strconv.Unquote(lit.Value)
			out = append(out, value)
		}
		return true
	})
	if len(out) == 0 {
		t.Fatalf("%s has no such constants", file)
	}
	return out
}

func strs(v any) []string {
	var out []string
	list, _ := v.([]any)
	for _, item := range list {
		s, _ := item.(string)
		out = append(out, s)
	}
	return out
}

func sameSet(t *testing.T, where string, got, want []string) {
	t.Helper()
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Errorf("%s has %v, the code %v", where, got, want)
	}
}

func TestWordsAreTheCodes(t *testing.T) {
	t.Parallel()
	isReason := func(name string) bool { return strings.HasPrefix(name, "Reason") }
	statuses := constants(t, "../internal/events/result.go", func(name string) bool { return !isReason(name) })
	reasons := constants(t, "../internal/events/result.go", isReason)
	deadletters := constants(t, "../internal/events/refusal.go", func(string) bool { return true })
	doc, result := read(t, "asyncapi.yaml"), read(t, "result.v1.json")
	sameSet(t, "result.v1.json status", strs(at(result, "properties/status/enum")), statuses)
	sameSet(t, "result.v1.json reason", strs(at(result, "properties/reason/properties/code/enum")), reasons)
	sameSet(t, "channel results", strs(at(doc, "channels/results/parameters/status/enum")), statuses)
	sameSet(t, "channel deadletters", strs(at(doc, "channels/deadletters/parameters/reason/enum")), deadletters)
	sameSet(t, "Sluice-Reason", strs(at(doc, "components/messages/deadletter/headers/properties/Sluice-Reason/enum")), deadletters)
	sameSet(t, "channel commands, operations", strs(at(doc, "channels/commands/parameters/operation/enum")), events.Operations())
	sameSet(t, "channel commands, priorities", strs(at(doc, "channels/commands/parameters/priority/enum")), events.Priorities())
	var types []string
	for _, status := range statuses {
		types = append(types, events.ResultType(status))
	}
	sameSet(t, "type of a result", strs(at(doc, "components/schemas/resultEvent/properties/type/enum")), types)
	for _, op := range events.Operations() {
		file := "command." + op + ".v1.json"
		sameSet(t, file+" priority", strs(at(read(t, file), "properties/priority/enum")), events.Priorities())
		if name := at(doc, "components/messages/"+op+"/name"); name != events.CommandType(op) {
			t.Errorf("message %s is called %v", op, name)
		}
		if of := at(doc, "components/messages/"+op+"/payload/properties/type/const"); of != events.CommandType(op) {
			t.Errorf("message %s has type %v", op, of)
		}
		if ref := at(doc, "components/messages/"+op+"/payload/properties/data/$ref"); ref != file {
			t.Errorf("message %s has data %v", op, ref)
		}
		for _, channel := range []string{"commands", "intake"} {
			if at(doc, "channels/"+channel+"/messages/"+op) == nil {
				t.Errorf("channel %s lacks %s", channel, op)
			}
		}
	}
}

func TestSubjectsAreTheCodes(t *testing.T) {
	t.Parallel()
	s := events.Subjects{Prefix: "sluice"}
	doc := read(t, "asyncapi.yaml")
	// Parts that a subject cannot have otherwise stand for the parameters.
	for channel, want := range map[string]string{
		"commands": s.Lane(events.Lane{Vendor: "{vendor}", Account: "{account}", Region: "{region}", Operation: "{operation}", Priority: "{priority}"}),
		"intake":   s.Intake(),
		"results": strings.NewReplacer("VENDOR", "{vendor}", "ACCOUNT", "{account}", "REGION", "{region}", "OPERATION", "{operation}", "STATUS", "{status}").
			Replace(s.Result(events.Result{Vendor: "VENDOR", Account: "ACCOUNT", Region: "REGION", Operation: "OPERATION", Status: "STATUS"})),
		"deadletters": strings.Replace(s.DeadLetter("REASON"), "REASON", "{reason}", 1),
	} {
		if got := at(doc, "channels/"+channel+"/address"); got != want {
			t.Errorf("channel %s is at %v, the code has %s", channel, got, want)
		}
	}
}

// The four command schemas stand alone, for their readers; what they share must
// not drift apart.
func TestCommandSchemasShareTheirFields(t *testing.T) {
	t.Parallel()
	fields := func(op, pointer string) string {
		properties, _ := at(read(t, "command."+op+".v1.json"), pointer).(map[string]any)
		delete(properties, "parameters")
		out, err := json.Marshal(properties)
		if err != nil || len(out) < 10 {
			t.Fatalf("%s: %s, %v", op, out, err)
		}
		return string(out)
	}
	for _, op := range events.Operations() {
		if fields(op, "properties") != fields(events.Restart, "properties") {
			t.Errorf("%s and restart differ in what they share", op)
		}
	}
	const password = "properties/parameters/properties/password"
	if fields(events.Flush, password) != fields(events.Restore, password) {
		t.Error("flush and restore take different passwords")
	}
}
