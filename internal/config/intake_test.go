package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/config"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

var hungAlert = config.Alert{
	Labels:      map[string]string{"account": "prod", "instance_id": "redis-1"},
	Annotations: map[string]string{"note": "hangs"},
	StartsAt:    time.Unix(1700000000, 0).UTC(),
	Fingerprint: "f00d",
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text, want, literal string
		parse, execute      string
	}{
		{text: "restart", want: "restart", literal: "restart"},
		{text: ""},
		{text: "{{ .Labels.account }}", want: "prod"},
		{text: "{{ .Fingerprint }}-{{ .StartsAt.Unix }}-{{ .Annotations.note }}", want: "f00d-1700000000-hangs"},
		{text: `{{ range $k, $v := .Labels }}{{ $k }}={{ . }};{{ end }}`, want: "account=prod;instance_id=redis-1;"},
		{text: `{{ with .Labels }}{{ .account }}{{ else }}{{ .Fingerprint }}{{ end }}`, want: "prod"},
		{text: `{{ if eq .Labels.account "prod" }}a{{ else }}b{{ end }}`, want: "a"},
		{text: `{{ (index .Labels "account") | printf "%s!" }}`, want: "prod!"},
		{text: "{{ .Labels.region }}", execute: `"region"`},
		{text: "{{ .Labels", parse: "is no template"},
		{text: "{{ nothing }}", parse: "is no template"},
		{text: "{{ .Label.x }}", parse: "asks for .Label"},
		{text: "{{ $.Status }}", parse: "asks for .Status"},
		{text: "{{ if true }}{{ .Status }}{{ end }}", parse: "asks for .Status"},
		{text: "{{ range .Labels }}{{ $.Status }}{{ end }}", parse: "asks for .Status"},
		{text: "{{ with .Labels }}{{ else }}{{ .Status }}{{ end }}", parse: "asks for .Status"},
		{text: `{{ printf "%s" (.Status) }}`, parse: "asks for .Status"},
	}
	for _, test := range tests {
		var template config.Template
		err := template.UnmarshalText([]byte(test.text))
		if !says(err, test.parse) {
			t.Errorf("%q: parsing gives %v, want %q", test.text, err, test.parse)
		}
		if test.parse != "" {
			continue
		}
		got, err := template.Execute(hungAlert)
		if !says(err, test.execute) || got != test.want {
			t.Errorf("%q: got %q, %v, want %q, %q", test.text, got, err, test.want, test.execute)
		}
		literal, is := template.Literal()
		if literal != test.literal || is != !strings.Contains(test.text, "{{") {
			t.Errorf("%q: literal %q, %v", test.text, literal, is)
		}
		if template.String() != test.text || template.Empty() != (test.text == "") {
			t.Errorf("%q shows itself as %q", test.text, template.String())
		}
	}
}

// says reports that the error holds the words, or that there is none where none
// are wanted.
func says(err error, words string) bool {
	if words == "" || err == nil {
		return words == "" && err == nil
	}
	return strings.Contains(err.Error(), words)
}

func TestPublisherRights(t *testing.T) {
	t.Parallel()
	some := config.Publisher{Allow: []vendors.Operation{"restart"}, Accounts: []string{"prod"}}
	every := config.Publisher{Allow: []vendors.Operation{"restart", "flush"}}
	none := config.Publisher{Allow: []vendors.Operation{"restart"}, Accounts: []string{}}
	for _, test := range []struct {
		publisher config.Publisher
		op        vendors.Operation
		account   string
		want      bool
	}{
		{some, "restart", "prod", true},
		{some, "flush", "prod", false},
		{some, "restart", "hw", false},
		{every, "flush", "hw", true},
		{every, "restore", "hw", false},
		{none, "restart", "prod", false},
	} {
		if got := test.publisher.May(test.op, test.account); got != test.want {
			t.Errorf("%+v may %s on %s: %v", test.publisher, test.op, test.account, got)
		}
	}
	if _, found := (config.Intake{}).Publisher("x"); found {
		t.Error("found a publisher where there is none")
	}
}
