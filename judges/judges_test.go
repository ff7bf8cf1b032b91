package judges

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/emulator"
)

// seed makes the random input of the signer tests repeatable.
var seed = flag.Uint64("seed", 20260102, "seed of the random requests that both signers sign")

// signerCases is how many random requests each pair of signers signs.
const signerCases = 400

// cloud is an emulator on a port of its own, whose clock runs ahead of the real
// one when told to. The SDKs sign with the real clock, so a jump must stay below
// the five minutes that the strictest vendor allows.
type cloud struct {
	*emulator.Server
	url   string
	ahead atomic.Int64
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{}
	c.Server = emulator.New(emulator.Options{
		Now:    func() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) },
		Quotas: emulator.Quotas{Mode: emulator.QuotaOff},
	})
	url, err := c.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	c.url = url
	return c
}

// host is the address without its scheme.
func (c *cloud) host() string { return strings.TrimPrefix(c.url, "http://") }

// finish lets all work that has begun come to its end.
func (c *cloud) finish() { c.ahead.Add(int64(10 * time.Second)) }

// wantEffects checks what really happened to an instance.
func (c *cloud) wantEffects(t *testing.T, id string, op emulator.Operation, n int) {
	t.Helper()
	if got := c.Effects().Total(id, op); got != n {
		t.Errorf("%d effects of %s on %s, want %d", got, op, id, n)
	}
}

// tap is a transport that keeps the body of the last answer. It is no
// *http.Transport, since one of the SDKs rewires those that it is given.
type tap struct {
	inner http.RoundTripper

	mu   sync.Mutex
	body []byte
}

func newTap(t *testing.T) *tap {
	inner := &http.Transport{}
	t.Cleanup(inner.CloseIdleConnections)
	return &tap{inner: inner}
}

func (p *tap) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := p.inner.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	p.mu.Lock()
	p.body = body
	p.mu.Unlock()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, err
}

// wantModelled checks that the last answer holds no field that the SDK's model
// lacks; inside names the member that the model describes, empty for the whole.
// Fields in known are documented by the vendor although the model lacks them.
func (p *tap) wantModelled(t *testing.T, model any, inside string, known ...string) {
	t.Helper()
	p.mu.Lock()
	raw := json.RawMessage(p.body)
	p.mu.Unlock()
	if inside != "" {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(raw, &members); err != nil {
			t.Fatalf("answer %q: %v", raw, err)
		}
		raw = members[inside]
	}
	if len(known) > 0 {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(raw, &members); err != nil {
			t.Fatalf("answer %q: %v", raw, err)
		}
		for _, name := range known {
			delete(members, name)
		}
		raw, _ = json.Marshal(members)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(model); err != nil {
		t.Errorf("the answer does not fit the SDK's model %T: %v\n%s", model, err, raw)
	}
}

// value is what an SDK's optional field holds, the zero value if absent.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// want compares one field.
func want[T comparable](t *testing.T, what string, got, expected T) {
	t.Helper()
	if got != expected {
		t.Errorf("%s is %v, want %v", what, got, expected)
	}
}

// must ends the test on an error.
func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// dice makes random parts of requests.
type dice struct{ *rand.Rand }

// newDice prints the seed, so that a failure can be repeated.
func newDice(t *testing.T) dice {
	t.Helper()
	t.Logf("seed %d; repeat with -seed", *seed)
	return dice{rand.New(rand.NewPCG(*seed, 0))}
}

const (
	plain   = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	awkward = plain + " +/=&?%#~*'\"();:@,!$[]{}<>|\\^`._-äß中文😀"
)

// text is 1 to n characters out of an alphabet.
func (d dice) text(alphabet string, n int) string {
	runes := []rune(alphabet)
	out := make([]rune, 1+d.IntN(n))
	for i := range out {
		out[i] = runes[d.IntN(len(runes))]
	}
	return string(out)
}

// maybe is a text or, half the time, nothing.
func (d dice) maybe(alphabet string, n int) string {
	if d.IntN(2) == 0 {
		return ""
	}
	return d.text(alphabet, n)
}

// when is a moment of this century in whole seconds.
func (d dice) when() time.Time { return time.Unix(1_000_000_000+d.Int64N(2_000_000_000), 0).UTC() }

// host is a host name, with a port or without.
func (d dice) host() string {
	name := strings.ToLower(d.text(plain, 12)) + ".example.com"
	return name + []string{"", ":80", ":443", ":8443", ":8080"}[d.IntN(5)]
}

// members are some names and values.
func (d dice) members(names string) map[string]string {
	out := map[string]string{}
	for range d.IntN(6) {
		out[d.text(names, 8)] = d.maybe(awkward, 20)
	}
	return out
}
