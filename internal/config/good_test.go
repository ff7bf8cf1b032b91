package config_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/config"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

func load(t *testing.T, name string, contents map[string]string) *config.Config {
	t.Helper()
	opts := options()
	if contents != nil {
		opts.ReadFile = disk(contents)
	}
	cfg, err := config.Load("testdata/good/"+name, opts)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestNothingConfiguredIsTheDefault(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"empty.yaml", "minimal.yaml"} {
		if cfg := load(t, name, nil); !reflect.DeepEqual(cfg, config.Default()) {
			t.Errorf("%s is not the default: %+v", name, cfg)
		}
	}
	cfg, err := config.Load("", options())
	if err != nil || !reflect.DeepEqual(cfg, config.Default()) {
		t.Errorf("no file is not the default: %+v, %v", cfg, err)
	}
	if !cfg.NATS.UsesEmbedded() || cfg.IntakeConfigured() || len(cfg.NATS.Servers()) != 0 {
		t.Errorf("the default is %+v", cfg)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	cfg := parse(t, "accounts: [{name: a, vendor: volcengine, regions: [r], credentials: {accessKey: k, secretKey: s}}]", options())
	account := cfg.Accounts[0]
	got := []any{
		cfg.NATS.URL, cfg.NATS.CredentialsFile, cfg.NATS.Prefix, cfg.NATS.Replicas, cfg.NATS.Embedded,
		cfg.HTTP.Listen, cfg.Log, cfg.Ledger.Retention, cfg.Lease.TTL, cfg.Secrets,
		account.MaxInFlight, account.Timeout, account.Expiry, account.Retry, account.Breaker, account.Track,
		account.ExpiryOf("urgent"), account.ExpiryOf("normal"), account.ExpiryOf("bulk"), account.ExpiryOf("x"),
	}
	want := []any{
		"", "", "sluice", 1, config.Embedded{StoreDir: "./sluice-data", Listen: "127.0.0.1:4222", Sync: config.Sync{Always: true}},
		"127.0.0.1:8080", config.Log{Level: "info", Format: "text"}, 168 * time.Hour, 8 * time.Second, config.Secrets{Dir: "/etc/sluice/secrets"},
		100, 10 * time.Second, config.Expiry{Urgent: 15 * time.Minute, Normal: time.Hour, Bulk: 24 * time.Hour},
		config.Retry{Attempts: 8, MinBackoff: 500 * time.Millisecond, MaxBackoff: 30 * time.Second},
		config.Breaker{Failures: 5, Window: 30 * time.Second, Open: 15 * time.Second},
		config.Track{Interval: 5 * time.Second, Timeout: 2 * time.Hour},
		15 * time.Minute, time.Hour, 24 * time.Hour, time.Duration(0),
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("value %d is %v, want %v", i, got[i], want[i])
		}
	}
}

// TestContract reads the example of the contract as it stands there.
func TestContract(t *testing.T) {
	t.Parallel()
	cfg := load(t, "contract.yaml", map[string]string{"/etc/sluice/am-token": "am-token\n"})
	for vendor, want := range map[string]struct {
		account, key, secret string
		allow                []vendors.Operation
	}{
		"volcengine": {"prod", "volc-ak", "MARKED-volc-sk", []vendors.Operation{"restart"}},
		"huawei":     {"hw", "hw-ak", "MARKED-hw-sk", []vendors.Operation{"restart", "soft_restart"}},
		"tencent":    {"tc", "tc-id", "MARKED-tc-key", nil},
	} {
		account, found := cfg.Account(vendor, want.account)
		if !found {
			t.Errorf("no account %s of %s", want.account, vendor)
			continue
		}
		key, err := account.Credentials.Current()
		if err != nil || key.Key != want.key || key.Secret.Reveal() != want.secret || !key.Session.Empty() {
			t.Errorf("%s: key %v, %v", vendor, key, err)
		}
		if !slices.Equal(account.Allow, want.allow) {
			t.Errorf("%s allows %v, want %v", vendor, account.Allow, want.allow)
		}
	}
	am, _ := cfg.Intake.Publisher("alertmanager")
	if !cfg.IntakeConfigured() || am.Token.Reveal() != "am-token" {
		t.Errorf("intake is %+v", cfg.Intake)
	}
	if got := cfg.Warnings; len(got) != 2 ||
		!strings.Contains(got[0], "account prod of volcengine allows restart; its vendor does not offer the rest") ||
		!strings.Contains(got[1], "account tc of tencent allows no operation") {
		t.Errorf("warnings are %q", got)
	}
}

func TestEverything(t *testing.T) {
	t.Parallel()
	cfg := load(t, "everything.yaml", nil)
	a, b, crs := cfg.Accounts[0], cfg.Accounts[1], cfg.Accounts[2]
	keyA, errA := a.Credentials.Current()
	keyB, errB := b.Credentials.Current()
	keyCRS, errCRS := crs.Credentials.Current()
	if errA != nil || errB != nil || errCRS != nil {
		t.Fatal(errA, errB, errCRS)
	}
	got := []any{
		cfg.NATS.Servers(), cfg.NATS.Token.Reveal(), cfg.NATS.Embedded.Sync.Interval, cfg.NATS.Replicas,
		keyA.Key, keyA.Secret.Reveal(), keyA.Session.Empty(), keyB.Session.Reveal(), keyCRS.Session.Reveal(),
		a.MaxInFlight, a.Timeout, a.EndpointFor("cn-north-4"), b.EndpointFor("x"),
		a.Quota("RestartOrFlushInstances"), a.Quota("ShowInstance"), a.Quota("ListInstances"), a.Quota("Nothing"),
		a.Allows("flush"), a.Allows("restart"), a.Serves("Region_2"), a.Serves("x"), a.Facts().NeedsProject,
		len(b.Allow), b.Allow == nil, crs.Allow,
	}
	want := []any{
		[]string{"tls://a:4222", "b:4222"}, "MARKED-file", 250 * time.Millisecond, 3,
		"pre-volc-ak-${x}-$y", "MARKED-file", true, "session", "session",
		7, 7 * time.Second, "http://127.0.0.1:8443/base/cn-north-4", "https://redis.tencentcloudapi.com",
		1.5, 1e6, 4.0, 0.0,
		true, false, true, false, true,
		0, false, []vendors.Operation{"restore"},
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("value %d is %#v, want %#v", i, got[i], want[i])
		}
	}
}

func TestAnchors(t *testing.T) {
	t.Parallel()
	cfg := load(t, "anchors.yaml", nil)
	for i, want := range []struct {
		name     string
		timeout  time.Duration
		inFlight int
		retry    config.Retry
	}{
		{"one", 3 * time.Second, 100, config.Retry{Attempts: 2, MinBackoff: 500 * time.Millisecond, MaxBackoff: 30 * time.Second}},
		{"two", 4 * time.Second, 100, config.Retry{Attempts: 2, MinBackoff: 500 * time.Millisecond, MaxBackoff: 30 * time.Second}},
		{"three", 3 * time.Second, 7, config.Retry{Attempts: 2, MinBackoff: time.Second, MaxBackoff: 30 * time.Second}},
	} {
		got := cfg.Accounts[i]
		if got.Name != want.name || got.Timeout != want.timeout || got.MaxInFlight != want.inFlight || got.Retry != want.retry {
			t.Errorf("account %d is %+v, want %+v", i, got, want)
		}
	}
}

func TestLoginInURL(t *testing.T) {
	t.Parallel()
	for url, want := range map[string][4]string{
		"nats://a:4222": {"nats://a:4222", "", "", ""},
		"a,b:1":         {"a,b:1", "", "", ""},
		"nats://u:MARKED@a:4222,nats://u:MARKED@b:1": {"nats://a:4222,nats://b:1", "u", "MARKED", ""},
		"tls://MARKED@[::1]:4222,tls://b":            {"tls://[::1]:4222,tls://b", "", "", "MARKED"},
	} {
		nats := parse(t, "nats: {url: '"+url+"'}", options()).NATS
		got := [4]string{nats.URL, nats.User, nats.Password.Reveal(), nats.Token.Reveal()}
		if got != want {
			t.Errorf("%s gives %v, want %v", url, got, want)
		}
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	cfg := load(t, "everything.yaml", nil)
	for _, want := range []string{
		"account b of tencent allows no operation",
		"nats.tls.ca: file /ca.pem cannot be found here",
		"secrets.xkeySeedFile: file /seed cannot be found here",
		"ledger.retention 30m0s is shorter than an expiry of account a (24h0m0s)",
	} {
		if !slices.ContainsFunc(cfg.Warnings, func(got string) bool { return strings.Contains(got, want) }) {
			t.Errorf("no warning %q among %q", want, cfg.Warnings)
		}
	}
	open := parse(t, "nats: {embedded: {listen: ':4222'}}\nintake: {listen: ':1'}", options())
	if len(open.Warnings) != 2 {
		t.Errorf("warnings are %q", open.Warnings)
	}
}

func TestLoadWithoutFile(t *testing.T) {
	t.Parallel()
	_, err := config.Load("testdata/nothing.yaml", options())
	if err == nil || !strings.Contains(err.Error(), "testdata/nothing.yaml") || !strings.Contains(err.Error(), "--config") {
		t.Errorf("got %v", err)
	}
}

func TestOpenSecrets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir+"/pw", "hush\n")
	write(t, dir+"/seed", "SXAPSYG4XYUKFM4PWXPFUVOB4CHRIWE6QDBUTJGJRRCVGLCK2ZZNW7RLAY\n")
	if _, err := (config.Secrets{Dir: dir, XKeySeedFile: dir + "/seed"}).Open(); err == nil {
		t.Error("a seed with a wrong checksum was accepted")
	}
	store, err := config.Secrets{Dir: dir}.Open()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := store.ByRef("pw"); err != nil || got.Reveal() != "hush" {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := (config.Secrets{XKeySeedFile: dir + "/none"}).Open(); err == nil || !strings.Contains(err.Error(), "secrets.xkeySeedFile") {
		t.Errorf("got %v", err)
	}
}
