package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/seed-7b870224/sluice/internal/config"
)

// hidden keeps a configuration where package fmt may not call its methods.
type hidden struct {
	cfg     config.Config
	account config.Account
}

func TestNothingSecretIsPrinted(t *testing.T) {
	t.Parallel()
	cfg := parse(t, `
nats: {url: "nats://u:MARKED-in-url@a:4222"}
accounts:
  - name: prod
    vendor: volcengine
    regions: [r]
    credentials: {accessKey: "MARKED-key", secretKey: "MARKED-${VOLC_SK}", sessionToken: "${file:testdata/files/token}"}
  - name: two
    vendor: tencent
    regions: [r]
    credentials: {secretId: "MARKED-id", secretKey: "MARKED-key", token: "MARKED-token"}
intake:
  listen: ":1"
  publishers: [{name: a, token: MARKED-bearer, allow: [restart]}]
`, options())
	for i := range cfg.Accounts {
		if _, err := cfg.Accounts[i].Credentials.Current(); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	h := hidden{cfg: *cfg, account: cfg.Accounts[0]}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{cfg, *cfg, h, &h, cfg.Accounts[0], cfg.Accounts[0].Credentials, &cfg.Accounts[0].Credentials, cfg.Accounts[0].Credentials.SecretKey, cfg.Intake} {
			fmt.Fprintf(&out, verb, value)
		}
	}
	asJSON, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := yaml.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(asJSON)
	out.Write(asYAML)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "config", cfg, "account", cfg.Accounts[0])
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "config", cfg, "account", cfg.Accounts[0])
	for _, leak := range []string{"MARKED", fmt.Sprintf("%x", "MARKED")} {
		if at := strings.Index(out.String(), leak); at >= 0 {
			t.Errorf("a secret shows: %s", out.String()[max(0, at-200):at+40])
		}
	}
	if !strings.Contains(string(asYAML), "[redacted]") || !strings.Contains(string(asJSON), `"accessKey"`) && !strings.Contains(string(asJSON), "[redacted]") {
		t.Errorf("no sign of the secrets in\n%s\n%s", asYAML, asJSON)
	}
}
