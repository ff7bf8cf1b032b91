package check

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// readmeHead is what stands before the table of values.
//
//go:embed readme_head.md
var readmeHead string

// README makes the chart's README: what there is to say, and a row for every value from
// the comments of values.yaml. A value without a comment is an error.
func README(values []byte) (string, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(values, &document); err != nil {
		return "", fmt.Errorf("read the values: %w", err)
	}
	if len(document.Content) == 0 {
		return "", errors.New("read the values: there are none")
	}
	var t table
	if err := t.mapping("", document.Content[0]); err != nil {
		return "", err
	}
	return readmeHead + "| value | default | |\n| --- | --- | --- |\n" + t.rows.String(), nil
}

type table struct{ rows strings.Builder }

func (t *table) mapping(path string, node *yaml.Node) error {
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		name := strings.TrimPrefix(path+"."+key.Value, ".")
		text, documented := comment(key.HeadComment)
		if !documented && value.Kind == yaml.MappingNode && len(value.Content) > 0 {
			if err := t.mapping(name, value); err != nil {
				return err
			}
			continue
		}
		if !documented {
			return fmt.Errorf("values.yaml:%d: %s has no comment that begins with two dashes", key.Line, name)
		}
		if err := t.row(name, value, text); err != nil {
			return err
		}
		// A group that has a comment may have values with comments of their own.
		if value.Kind == yaml.MappingNode && commented(value) {
			if err := t.mapping(name, value); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *table) row(name string, value *yaml.Node, text string) error {
	shown := ""
	if value.Kind != yaml.MappingNode || !commented(value) {
		var plain any
		if err := value.Decode(&plain); err != nil {
			return fmt.Errorf("values.yaml:%d: %s: %w", value.Line, name, err)
		}
		data, err := json.Marshal(plain)
		if err != nil {
			return fmt.Errorf("values.yaml:%d: %s: %w", value.Line, name, err)
		}
		shown = "`" + strings.ReplaceAll(string(data), "|", "\\|") + "`"
	}
	fmt.Fprintf(&t.rows, "| `%s` | %s | %s |\n", name, shown, strings.ReplaceAll(text, "|", "\\|"))
	return nil
}

// commented reports whether any value of a group has a comment of its own.
func commented(node *yaml.Node) bool {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if _, ok := comment(node.Content[i].HeadComment); ok || commented(node.Content[i+1]) {
			return true
		}
	}
	return false
}

// comment is the text of a comment that begins with two dashes. Of several comments the
// last one counts: the others belong to the file.
func comment(head string) (string, bool) {
	paragraphs := strings.Split(head, "\n\n")
	text, ok := strings.CutPrefix(paragraphs[len(paragraphs)-1], "# -- ")
	if !ok {
		return "", false
	}
	return strings.ReplaceAll(text, "\n# ", " "), true
}
