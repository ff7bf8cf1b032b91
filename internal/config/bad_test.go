package config_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-7b870224/sluice/internal/config"
)

var update = flag.Bool("update", false, "write the expected first lines of testdata/bad anew")

// TestEveryMistake reads one broken file per mistake and compares the first line
// of the error with the file beside it.
func TestEveryMistake(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			cfg, err := config.Parse(name+".yaml", data, options())
			var all config.Errors
			if !errors.As(err, &all) || cfg != nil {
				t.Fatalf("got %v, %v, want mistakes", cfg, err)
			}
			if strings.Contains(err.Error(), "MARKED") {
				t.Errorf("the error shows a secret: %v", err)
			}
			first, _, _ := strings.Cut(err.Error(), "\n")
			golden := strings.TrimSuffix(path, ".yaml") + ".txt"
			if *update {
				write(t, golden, first+"\n")
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if first+"\n" != string(want) {
				t.Errorf("got  %s\nwant %s", first, want)
			}
		})
	}
}

// TestMistakesDoNotMultiply: a mistake is reported once, not again for all that
// follows from it.
func TestMistakesDoNotMultiply(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = config.Parse(name, data, options())
		var all config.Errors
		if !errors.As(err, &all) {
			t.Fatalf("%s: %v", name, err)
		}
		if len(all) != 1 {
			t.Errorf("%s: %d mistakes, want one:\n%v", name, len(all), err)
		}
	}
}

func TestAllMistakesInTheOrderOfTheFile(t *testing.T) {
	t.Parallel()
	opts := options()
	opts.Flags = map[string]string{"log.level": "loud", "accounts": "x"}
	all := mistakes(t, "log:\n  format: xml\nnats:\n  replicas: 9\n  urll: x\nlease: {ttl: 1s}\n", opts)
	want := []string{
		`test.yaml:2:11: log.format: "xml" is not known; use text or json`,
		`test.yaml:4:13: nats.replicas: 9 is out of range; use 1 to 5`,
		`test.yaml:5:3: unknown key "urll"; did you mean url?; known in nats: `,
		`test.yaml:6:14: lease.ttl: 1s is too short; a lease lasts 2s or more`,
		`flag for accounts: no single value can be set there; use the file`,
		`--log-level: log.level: "loud" is not known; use debug, info, warn or error`,
	}
	if len(all) != len(want) {
		t.Fatalf("got %d mistakes, want %d:\n%v", len(all), len(want), all)
	}
	for i, problem := range all {
		if !strings.HasPrefix(problem.Error(), want[i]) {
			t.Errorf("got  %s\nwant %s", problem.Error(), want[i])
		}
	}
	var one config.Problem
	if !errors.As(error(all), &one) || one.Line != 2 || one.Column != 11 {
		t.Errorf("errors.As gives %+v", one)
	}
}

// TestDefaultAllowWrittenOut: the default may be written as documented where the
// vendor has a part of it; where it has none, each operation is a mistake.
func TestDefaultAllowWrittenOut(t *testing.T) {
	t.Parallel()
	account := func(vendor, key string) string {
		return "accounts: [{name: a, vendor: " + vendor + ", regions: [r], credentials: {" + key + ": k, secretKey: s}, allow: [restart, soft_restart]}]"
	}
	cfg := parse(t, account("volcengine", "accessKey"), options())
	if got := cfg.Accounts[0].Allow; len(got) != 1 || got[0] != "restart" || len(cfg.Warnings) != 1 {
		t.Errorf("volcengine allows %v, warnings %q", got, cfg.Warnings)
	}
	if all := mistakes(t, account("tencent", "secretId"), options()); len(all) != 2 {
		t.Errorf("tencent: %v", all)
	}
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	bomb := "accounts:\n  - &a {name: x, projects: {z: v}}\n" + strings.Repeat("  - *a\n", 60_000)
	for name, text := range map[string]string{
		"bytes":   "# " + strings.Repeat("x", 1<<20),
		"aliases": bomb,
		"cycle":   "accounts: &a [*a]\n",
		"merges":  "log: &a {<<: *a}\n",
	} {
		all := mistakes(t, text, options())
		if len(all) > 1000 {
			t.Errorf("%s: %d mistakes", name, len(all))
		}
	}
}
