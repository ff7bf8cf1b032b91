package rig

import (
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/emulator"
)

// Clouds are emulated clouds on a port of their own.
type Clouds struct {
	*emulator.Server
	// URL is the endpoint for all four vendors.
	URL string
	// SignatureLife is how long a signed request can take effect; zero is each
	// vendor's own.
	SignatureLife time.Duration
}

// NewClouds listens until the test ends. Without quotas of their own they take
// any pace.
func NewClouds(tb testing.TB, o emulator.Options) *Clouds {
	tb.Helper()
	if o.Quotas.Mode == "" && o.Quotas.PerSecond == nil {
		o.Quotas.Mode = emulator.QuotaOff
	}
	s := emulator.New(o)
	url, err := s.Listen("127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return &Clouds{Server: s, URL: url, SignatureLife: o.Quirks.SignatureLife}
}

// Mutations lists the mutation calls that arrived for an instance, oldest first.
func (c *Clouds) Mutations(instance string) []emulator.Call {
	return c.Calls(emulator.Filter{Instance: instance, Mutations: true})
}

// lives is how long each vendor takes a signature.
var lives = map[emulator.Vendor]time.Duration{
	emulator.Volcengine: 15 * time.Minute, emulator.Huawei: 15 * time.Minute,
	emulator.Tencent: 5 * time.Minute, emulator.TencentCRS: 5 * time.Minute,
}

// life is how long a signature of the vendor can take effect here.
func (c *Clouds) life(v emulator.Vendor) time.Duration {
	if c.SignatureLife > 0 {
		return c.SignatureLife
	}
	return lives[v]
}
