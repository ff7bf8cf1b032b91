package secret_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nkeys"

	"github.com/seed-7b870224/sluice/internal/secret"
)

func newStore(t *testing.T, dir string) *secret.Store {
	t.Helper()
	pair, err := nkeys.CreateCurveKeys()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	store, err := secret.NewStore(dir, secret.New(string(seed)+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestByRefReads(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := newStore(t, dir)
	tests := map[string]struct{ content, want string }{
		"plain":       {"pw", "pw"},
		"newline":     {"pw\n", "pw"},
		"two":         {"pw\n\n", "pw\n"},
		"windows":     {"pw\r\n", "pw"},
		"spaces.kept": {" pw ", " pw "},
		"full_size":   {strings.Repeat("x", secret.MaxSize), strings.Repeat("x", secret.MaxSize)},
	}
	for name, test := range tests {
		write(t, filepath.Join(dir, name), test.content)
		got, err := store.ByRef(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got.Reveal() != test.want {
			t.Errorf("%s: got %q, want %q", name, got.Reveal(), test.want)
		}
	}
}

func TestByRefSeesRotation(t *testing.T) {
	t.Parallel()
	// As the kubelet lays a secret out: the name links through ..data, which is
	// swapped.
	dir := t.TempDir()
	for _, version := range []string{"one", "two"} {
		if err := os.Mkdir(filepath.Join(dir, ".."+version), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, ".."+version, "pw"), version)
	}
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("..one", "..data")
	link("..data/pw", "pw")
	store := newStore(t, dir)
	for _, want := range []string{"one", "two"} {
		got, err := store.ByRef("pw")
		if err != nil || got.Reveal() != want {
			t.Fatalf("got %q, %v, want %q", got.Reveal(), err, want)
		}
		if err := os.Remove(filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
		link("..two", "..data")
	}
}

func TestByRefRefuses(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "outside")
	write(t, outside, marked)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "empty"), "\n")
	write(t, filepath.Join(dir, "big"), marked+strings.Repeat("x", secret.MaxSize))
	write(t, filepath.Join(dir, ".hidden"), marked)
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "escape")); err != nil {
		t.Fatal(err)
	}
	store := newStore(t, dir)
	tests := map[string]string{
		"":                       "not a file name",
		"..":                     "not a file name",
		"../outside":             "not a file name",
		"folder/x":               "not a file name",
		"/etc/passwd":            "not a file name",
		".hidden":                "not a file name",
		"a\x00b":                 "not a file name",
		strings.Repeat("n", 300): "not a file name",
		"missing":                "put a file of that name",
		"folder":                 "not a regular file",
		"escape":                 "escapes",
		"empty":                  "is empty",
		"big":                    "is over 65536 bytes",
	}
	for name, want := range tests {
		got, err := store.ByRef(name)
		if err == nil || !got.Empty() {
			t.Errorf("%q was accepted", name)
			continue
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), marked) {
			t.Errorf("%q: %v, want it to say %q", name, err, want)
		}
	}
}

func TestByRefWithoutDirectory(t *testing.T) {
	t.Parallel()
	for dir, want := range map[string]string{"": "set secrets.dir", "/nonexistent-sluice": "check secrets.dir"} {
		_, err := newStore(t, dir).ByRef("pw")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want it to say %q", dir, err, want)
		}
	}
}

func TestSealAndUnseal(t *testing.T) {
	t.Parallel()
	store := newStore(t, "")
	public, err := store.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	for _, plain := range []string{"p", marked, strings.Repeat("x", secret.MaxSize)} {
		sealed, err := secret.Seal(public+"\n", []byte(plain))
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(sealed, "\r\n ") {
			t.Errorf("the sealed secret is not one line: %q", sealed)
		}
		again, err := secret.Seal(public, []byte(plain))
		if err != nil || again == sealed {
			t.Errorf("sealing twice gave the same text, %v", err)
		}
		got, err := store.Unseal(sealed + "\n")
		if err != nil || got.Reveal() != plain {
			t.Errorf("got %d bytes, %v, want %d", len(got.Reveal()), err, len(plain))
		}
	}
}

func TestUnsealRefuses(t *testing.T) {
	t.Parallel()
	store, other := newStore(t, ""), newStore(t, "")
	public, err := other.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := secret.Seal(public, []byte(marked))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(foreign)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-1] ^= 1
	damaged := base64.StdEncoding.EncodeToString(raw)
	keyless, err := secret.NewStore("", secret.Text{})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		store  *secret.Store
		sealed string
		want   string
	}{
		{"empty", store, "", "not the base64 line"},
		{"no base64", store, marked, "not the base64 line"},
		{"short", store, base64.StdEncoding.EncodeToString(raw[:60]), "not the base64 line"},
		{"foreign key", store, foreign, "sealed to another key"},
		{"damaged", other, damaged, "damaged"},
		{"too long", store, strings.Repeat("A", 2*secret.MaxSize), "is over"},
		{"no key", keyless, foreign, "set secrets.xkeySeedFile"},
	}
	for _, test := range tests {
		got, err := test.store.Unseal(test.sealed)
		if err == nil || !got.Empty() {
			t.Errorf("%s: accepted", test.name)
			continue
		}
		if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), marked) {
			t.Errorf("%s: %v, want it to say %q", test.name, err, test.want)
		}
	}
	if _, err := keyless.PublicKey(); err == nil {
		t.Error("a store without a key names one")
	}
}

func TestBadKeys(t *testing.T) {
	t.Parallel()
	if _, err := secret.NewStore("", secret.New(marked)); err == nil || strings.Contains(err.Error(), marked) {
		t.Errorf("a bad seed: %v", err)
	}
	user, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	userKey, err := user.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"", "XABC", userKey, strings.Repeat("X", 500)} {
		if _, err := secret.Seal(key, []byte(marked)); err == nil || strings.Contains(err.Error(), marked) {
			t.Errorf("key %q: %v", key, err)
		}
	}
	valid, err := newStore(t, "").PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	for _, plain := range [][]byte{nil, make([]byte, secret.MaxSize+1)} {
		if _, err := secret.Seal(valid, plain); err == nil {
			t.Errorf("%d bytes were sealed", len(plain))
		}
	}
}
