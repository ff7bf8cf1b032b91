package config_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/config"
)

func withEnv(variables map[string]string) config.Options {
	opts := options()
	all := maps.Clone(sample)
	maps.Copy(all, variables)
	opts.Env = env(all)
	return opts
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	file := "log: {level: debug}"
	for _, test := range []struct {
		name, file, env, flag, want string
	}{
		{"default", "", "", "", "info"},
		{"file", file, "", "", "debug"},
		{"environment", file, "warn", "", "warn"},
		{"flag", file, "warn", "error", "error"},
		{"flag over default", "", "", "error", "error"},
	} {
		opts := withEnv(map[string]string{"SLUICE_LOG_LEVEL": test.env})
		if test.flag != "" {
			opts.Flags = map[string]string{"log.level": test.flag}
		}
		if got := parse(t, test.file, opts).Log.Level; got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

func TestEnvironmentSetsEveryKind(t *testing.T) {
	t.Parallel()
	cfg := parse(t, "", withEnv(map[string]string{
		"SLUICE_NATS_URL":               "nats://u:MARKED@a:4222",
		"SLUICE_NATS_CREDENTIALS_FILE":  "",
		"SLUICE_NATS_REPLICAS":          "3",
		"SLUICE_NATS_EMBEDDED_SYNC":     "1s",
		"SLUICE_NATS_EMBEDDED_STOREDIR": "/a",
		"SLUICE_LEDGER_RETENTION":       "48h",
		"SLUICE_SECRETS_ALLOWPLAINTEXT": "true",
		"SLUICE_SECRETS_XKEYSEEDFILE":   "/seed",
		"SLUICE_INTAKE_TLS_CERT":        "/c",
		"SLUICE_INTAKE_TLS_KEY":         "/k",
		"SLUICE_INTAKE_LISTEN":          ":1",
		"SLUICE_HTTP_LISTEN":            ":2",
	}))
	got := []any{
		cfg.NATS.URL, cfg.NATS.Password.Reveal(), cfg.NATS.Replicas, cfg.NATS.Embedded.Sync, cfg.NATS.Embedded.StoreDir,
		cfg.Ledger.Retention, cfg.Secrets.AllowPlaintext, cfg.Secrets.XKeySeedFile, cfg.Intake.TLS.Cert, cfg.IntakeConfigured(), cfg.HTTP.Listen,
	}
	want := []any{"nats://a:4222", "MARKED", 3, config.Sync{Interval: time.Second}, "/a", 48 * time.Hour, true, "/seed", "/c", true, ":2"}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("value %d is %v, want %v", i, got[i], want[i])
		}
	}
}

func TestBothFormsOfAName(t *testing.T) {
	t.Parallel()
	for _, variables := range []map[string]string{
		{"SLUICE_NATS_CREDENTIALSFILE": "/a"},
		{"SLUICE_NATS_CREDENTIALS_FILE": "/a"},
		{"SLUICE_NATS_CREDENTIALSFILE": "/a", "SLUICE_NATS_CREDENTIALS_FILE": "/a"},
	} {
		if got := parse(t, "", withEnv(variables)).NATS.CredentialsFile; got != "/a" {
			t.Errorf("%v gives %q", variables, got)
		}
	}
	all := mistakes(t, "", withEnv(map[string]string{"SLUICE_NATS_CREDENTIALSFILE": "/a", "SLUICE_NATS_CREDENTIALS_FILE": "/b"}))
	if want := "SLUICE_NATS_CREDENTIALS_FILE: SLUICE_NATS_CREDENTIALSFILE is set to something else; unset one of them"; all.Error() != want {
		t.Errorf("got %v", all)
	}
}

func TestMistakesInOverrides(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, value, want string }{
		{"SLUICE_NATS_REPLICAS", "many", `SLUICE_NATS_REPLICAS: "many" is not a whole number; write one in digits`},
		{"SLUICE_LEASE_TTL", "1s", `SLUICE_LEASE_TTL: lease.ttl: 1s is too short; a lease lasts 2s or more`},
		{"SLUICE_SECRETS_ALLOWPLAINTEXT", "maybe", `SLUICE_SECRETS_ALLOWPLAINTEXT: "maybe" is neither true nor false; write one of them`},
		{"SLUICE_NATS_URL", "ftp://u:MARKED@x", `SLUICE_NATS_URL: nats.url: server 1 of the list has an unknown scheme; use nats, tls, ws or wss`},
		{"SLUICE_NATS_PASSWORD", "MARKED", `test.yaml:1:1: nats.user: is missing; password needs it`},
	} {
		all := mistakes(t, "", withEnv(map[string]string{test.name: test.value}))
		if all.Error() != test.want {
			t.Errorf("got  %v\nwant %v", all, test.want)
		}
	}
	opts := options()
	opts.Flags = map[string]string{"lease.ttl": "soon"}
	if all := mistakes(t, "", opts); !strings.HasPrefix(all.Error(), `flag for lease.ttl: "soon" is not a duration`) {
		t.Errorf("got %v", all)
	}
}

func TestUnknownVariablesAreWarnings(t *testing.T) {
	t.Parallel()
	opts := options()
	opts.KnownEnv = []string{"SLUICE_CONFIG"}
	opts.Environ = func() []string {
		return []string{
			"SLUICE_NAT_URL=MARKED", "SLUICE_CONFIG=x", "SLUICE_LOG_LEVEL=info", "PATH=/", "SLUICE_NATS_CREDENTIALS_FILE=",
			// What Kubernetes sets for the services sluice and sluice-nats.
			"SLUICE_SERVICE_HOST=10.0.0.1", "SLUICE_SERVICE_PORT_HTTP=80", "SLUICE_PORT=tcp://10.0.0.1:80",
			"SLUICE_NATS_PORT_4222_TCP_ADDR=10.0.0.2", "SLUICE_NATS_PORT_4222_TCP=tcp://10.0.0.2:4222",
		}
	}
	want := []string{"environment variable SLUICE_NAT_URL sets nothing; did you mean SLUICE_NATS_URL?"}
	if got := parse(t, "", opts).Warnings; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
