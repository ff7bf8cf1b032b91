package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
	"time"
)

// Alert is what a template sees of one alert.
type Alert struct {
	Labels      map[string]string
	Annotations map[string]string
	StartsAt    time.Time
	Fingerprint string
}

var alertFields = []string{"Labels", "Annotations", "StartsAt", "Fingerprint"}

// Template is one field of a command, made from an alert.
type Template struct {
	text   string
	parsed *template.Template
}

// String is the template as written.
func (t Template) String() string { return t.text }

// MarshalText is the template as written.
func (t Template) MarshalText() ([]byte, error) { return []byte(t.text), nil }

// Empty reports that there is no template.
func (t Template) Empty() bool { return t.text == "" }

// UnmarshalText parses a template. A label that an alert lacks is an error when
// the template is carried out; a field that no alert has is one here.
func (t *Template) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*t = Template{}
		return nil
	}
	parsed, err := template.New("command").Option("missingkey=error").Parse(string(text))
	if err != nil {
		return fmt.Errorf("is no template (%s); see text/template", strings.TrimPrefix(err.Error(), "template: command:"))
	}
	if name := unknownField(parsed.Root, true); name != "" {
		return fmt.Errorf("asks for .%s, which no alert has; use .%s", name, strings.Join(alertFields, ", ."))
	}
	*t = Template{text: string(text), parsed: parsed}
	return nil
}

// Literal is the text of a template that does not depend on the alert.
func (t Template) Literal() (string, bool) {
	if t.parsed == nil {
		return "", true
	}
	var literal strings.Builder
	for _, node := range t.parsed.Root.Nodes {
		text, ok := node.(*parse.TextNode)
		if !ok {
			return "", false
		}
		literal.Write(text.Text)
	}
	return literal.String(), true
}

// Execute makes the text for an alert. Its error names the label that is missing.
func (t Template) Execute(alert Alert) (string, error) {
	if t.parsed == nil {
		return "", nil
	}
	var out strings.Builder
	if err := t.parsed.Execute(&out, alert); err != nil {
		var failed template.ExecError
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return "", fmt.Errorf("filling in the template %q: %w", t.text, err)
	}
	return out.String(), nil
}

// unknownField finds a field that alerts do not have. Within range and with the
// dot is something else, so only $ is checked there.
func unknownField(node parse.Node, dotIsAlert bool) string {
	switch n := node.(type) {
	case *parse.ListNode:
		if n != nil {
			return firstUnknown(n.Nodes, dotIsAlert)
		}
	case *parse.ActionNode:
		return unknownField(n.Pipe, dotIsAlert)
	case *parse.TemplateNode:
		return unknownField(n.Pipe, dotIsAlert)
	case *parse.PipeNode:
		if n != nil {
			return firstUnknown(n.Cmds, dotIsAlert)
		}
	case *parse.CommandNode:
		return firstUnknown(n.Args, dotIsAlert)
	case *parse.ChainNode:
		return unknownField(n.Node, dotIsAlert)
	case *parse.FieldNode:
		if dotIsAlert && !slices.Contains(alertFields, n.Ident[0]) {
			return n.Ident[0]
		}
	case *parse.VariableNode:
		if n.Ident[0] == "$" && len(n.Ident) > 1 && !slices.Contains(alertFields, n.Ident[1]) {
			return n.Ident[1]
		}
	case *parse.IfNode:
		return unknownInBranch(&n.BranchNode, dotIsAlert, dotIsAlert)
	case *parse.RangeNode:
		return unknownInBranch(&n.BranchNode, dotIsAlert, false)
	case *parse.WithNode:
		return unknownInBranch(&n.BranchNode, dotIsAlert, false)
	}
	return ""
}

func unknownInBranch(n *parse.BranchNode, outside, inside bool) string {
	if name := unknownField(n.Pipe, outside); name != "" {
		return name
	}
	if name := unknownField(n.List, inside); name != "" {
		return name
	}
	return unknownField(n.ElseList, outside)
}

func firstUnknown[N parse.Node](nodes []N, dotIsAlert bool) string {
	for _, node := range nodes {
		if name := unknownField(node, dotIsAlert); name != "" {
			return name
		}
	}
	return ""
}
