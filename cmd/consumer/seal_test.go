package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nkeys"

	"github.com/seed-7b870224/sluice/internal/secret"
)

func TestSeal(t *testing.T) {
	t.Parallel()
	key, err := nkeys.CreateCurveKeys()
	if err != nil {
		t.Fatal(err)
	}
	public, _ := key.PublicKey()
	seed, _ := key.Seed()
	store, err := secret.NewStore("", secret.New(string(seed)))
	if err != nil {
		t.Fatal(err)
	}
	conf := file(t, "sluice.yaml", fmt.Sprintf("secrets: {xkeySeedFile: %q}\n", file(t, "seed", string(seed)+"\n")))
	for _, args := range [][]string{{"seal", "--key", public}, {"seal", "--config", conf}} {
		got := consumerWith(t, "p@ss wörd\n\n", args...)
		line, ended := strings.CutSuffix(got.out, "\n")
		if got.code != exitOK || got.err != "" || !ended || strings.ContainsAny(line, " \n") {
			t.Fatalf("%v: exit %d, %q, %q", args, got.code, got.out, got.err)
		}
		plain, err := store.Unseal(line)
		if err != nil || plain.Reveal() != "p@ss wörd\n" {
			t.Errorf("%v: unsealed %q, %v; want the secret less one newline", args, plain.Reveal(), err)
		}
	}
	for say, test := range map[string]struct {
		in   string
		args []string
	}{
		"holds no secret":              {"\n", []string{"--key", public}},
		"either --config":              {"x", nil},
		"seal needs either":            {"x", []string{"--key", public, "--config", conf}},
		"is not an X25519 public key":  {"x", []string{"--key", "XABC"}},
		"secrets.xkeySeedFile":         {"x", []string{"--config", file(t, "none.yaml", "{}\n")}},
		"over 65536 bytes":             {strings.Repeat("x", secret.MaxSize+1), []string{"--key", public}},
		"takes no arguments, but got ": {"x", []string{"--key", public, "argument"}},
	} {
		consumerWith(t, test.in, append([]string{"seal"}, test.args...)...).want(t, exitUsage, "", say)
	}
}
