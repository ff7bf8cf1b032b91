package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/seed-7b870224/sluice/internal/secret"
)

const marked = "MARKED-hunter2"

// holder keeps a secret where package fmt may not call its methods.
type holder struct {
	hidden secret.Text
	Open   secret.Text
	List   []secret.Text
	Map    map[string]secret.Text
}

func TestTextIsNeverPrinted(t *testing.T) {
	t.Parallel()
	text := secret.New(marked)
	h := holder{hidden: text, Open: text, List: []secret.Text{text}, Map: map[string]secret.Text{"k": text}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&out, verb, text)
		fmt.Fprintf(&out, verb, h)
		fmt.Fprintf(&out, verb, &h)
		fmt.Fprintf(&out, verb, []any{h, &text})
	}
	encoded, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)
	if encoded, err = yaml.Marshal(h); err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "text", text, "holder", h)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "text", text, "holder", h)
	hexed := fmt.Sprintf("%x", marked)
	for _, leak := range []string{marked, hexed, strings.ToUpper(hexed)} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("the secret shows as %q in %s", leak, out.String())
		}
	}
	if !strings.Contains(out.String(), secret.Redacted) {
		t.Errorf("no sign of a secret in %s", out.String())
	}
}

func TestTextComparesByContent(t *testing.T) {
	t.Parallel()
	a, b := secret.New(marked), secret.New(strings.Clone(marked))
	if a != b || !reflect.DeepEqual(a, b) {
		t.Error("two secrets with the same content differ")
	}
	if a == secret.New("other") {
		t.Error("two different secrets are equal")
	}
	if a.Reveal() != marked {
		t.Errorf("Reveal() = %q", a.Reveal())
	}
	for _, empty := range []secret.Text{{}, secret.New("")} {
		if !empty.Empty() || empty.Reveal() != "" || empty.String() != "" {
			t.Errorf("an empty secret shows %q", empty.String())
		}
	}
}
