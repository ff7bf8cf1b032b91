//go:build faults

package main

import (
	"fmt"
	"os"
	"time"

	"github.com/seed-7b870224/sluice/internal/dispatch"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

const (
	// faultEnv lists what happens where: POINT@N=ACTION, separated by commas.
	faultEnv = "SLUICE_FAULT"
	// lifeEnv shortens the life of signatures, and the search for lost answers
	// with it, so that tests need not wait for minutes. The emulated clouds must
	// be given the same life.
	lifeEnv = "SLUICE_FAULT_SIGNATURE_LIFE"
)

// shortTiming replaces the engine's under a shortened signature life.
var shortTiming = dispatch.Timing{
	LapseMargin: time.Second, GiveUpAfter: 6 * time.Second,
	FirstLook: 100 * time.Millisecond, MostLook: 500 * time.Millisecond, LateLook: 500 * time.Millisecond,
}

// withFaults puts the fault points of the environment around broker, ledger and
// vendors.
func withFaults(o dispatch.Options) (dispatch.Options, error) {
	life, err := faultyLife()
	if err != nil {
		return o, err
	}
	points, err := parseFaults(os.Getenv(faultEnv))
	if err != nil {
		return o, err
	}
	if life > 0 {
		o.Timing = shortTiming
	}
	for i := range o.Accounts {
		a := &o.Accounts[i]
		if life > 0 {
			a.Facts.SignatureLife = life
		}
		connect := a.Connect
		a.Connect = func(region string, hooks dispatch.Hooks) (vendors.Vendor, error) {
			v, err := connect(region, hooks)
			return faultyVendor{v, points}, err
		}
	}
	o.Broker = faultyBroker{o.Broker, points}
	o.Ledger = newFaultyKV(o.Ledger, points)
	return o, nil
}

// faultyLife is the shortened life of signatures, or zero.
func faultyLife() (time.Duration, error) {
	text := os.Getenv(lifeEnv)
	if text == "" {
		return 0, nil
	}
	life, err := time.ParseDuration(text)
	if err != nil || life <= 0 {
		return 0, usagef("%s is %q; want a duration above zero, such as 4s", lifeEnv, text)
	}
	return life, nil
}

// withFaultyClock makes an adapter as patient as a shortened life allows.
func withFaultyClock(a vendors.Account) vendors.Account {
	if os.Getenv(lifeEnv) != "" {
		a.Patience = time.Second
	}
	return a
}

func init() {
	fmt.Fprintln(os.Stderr, "This program was built with the tag faults: it obeys "+faultEnv+" and "+lifeEnv+" and must never run in production.")
}
