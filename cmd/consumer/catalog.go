package main

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-7b870224/sluice/internal/config"
	"github.com/seed-7b870224/sluice/internal/dispatch"
	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/huawei"
	"github.com/seed-7b870224/sluice/internal/vendors/tencent"
	"github.com/seed-7b870224/sluice/internal/vendors/tencentcrs"
	"github.com/seed-7b870224/sluice/internal/vendors/volcengine"
)

// adapter is one vendor as the program knows it.
type adapter struct {
	facts   vendors.Facts
	connect func(vendors.Account) (vendors.Vendor, error)
}

// adapters is the one list of vendors; adding one is a line here.
func adapters() []adapter {
	return []adapter{
		{volcengine.Facts(), func(a vendors.Account) (vendors.Vendor, error) { return volcengine.New(a) }},
		{huawei.Facts(), func(a vendors.Account) (vendors.Vendor, error) { return huawei.New(a) }},
		{tencent.Facts(), func(a vendors.Account) (vendors.Vendor, error) { return tencent.New(a) }},
		{tencentcrs.Facts(), func(a vendors.Account) (vendors.Vendor, error) { return tencentcrs.New(a) }},
	}
}

// catalog is the vendors' facts by name.
func catalog() map[string]vendors.Facts {
	out := map[string]vendors.Facts{}
	for _, a := range adapters() {
		out[a.facts.Name] = a.facts
	}
	return out
}

// accounts turns the configured accounts into the engine's.
func accounts(conf *config.Config) ([]dispatch.Account, error) {
	connect := map[string]func(vendors.Account) (vendors.Vendor, error){}
	for _, a := range adapters() {
		connect[a.facts.Name] = a.connect
	}
	var out []dispatch.Account
	for i := range conf.Accounts {
		a := conf.Accounts[i]
		make, ok := connect[a.Vendor]
		if !ok {
			return nil, fmt.Errorf("account %s: no adapter for vendor %q", a.Name, a.Vendor)
		}
		out = append(out, engineAccount(a, make))
	}
	return out, nil
}

// engineAccount is one configured account as the engine takes it.
func engineAccount(a config.Account, connect func(vendors.Account) (vendors.Vendor, error)) dispatch.Account {
	allow := map[string]bool{}
	for _, op := range a.Allow {
		allow[string(op)] = true
	}
	return dispatch.Account{
		Name: a.Name, Facts: a.Facts(), Regions: a.Regions, Allow: allow, Quota: a.Quota,
		MaxInFlight: a.MaxInFlight, Timeout: a.Timeout,
		Expiry:  map[string]time.Duration{"urgent": a.Expiry.Urgent, "normal": a.Expiry.Normal, "bulk": a.Expiry.Bulk},
		Retry:   dispatch.Retry{Attempts: a.Retry.Attempts, MinBackoff: a.Retry.MinBackoff, MaxBackoff: a.Retry.MaxBackoff},
		Breaker: dispatch.Breaker{Failures: a.Breaker.Failures, Window: a.Breaker.Window, Open: a.Breaker.Open},
		Track:   dispatch.Track{Interval: a.Track.Interval, Timeout: a.Track.Timeout},
		Connect: func(region string, hooks dispatch.Hooks) (vendors.Vendor, error) {
			return connect(withFaultyClock(vendors.Account{
				Region: region, Project: a.Projects[region], Endpoint: a.EndpointFor(region),
				Credentials: func(context.Context) (vendors.Credentials, error) {
					now, err := a.Credentials.Current()
					return vendors.Credentials{AccessKey: now.Key, SecretKey: now.Secret, SessionToken: now.Session}, err
				},
				Timeout: a.Timeout, Permit: hooks.Permit, Observe: hooks.Observe,
			}))
		},
	}
}
