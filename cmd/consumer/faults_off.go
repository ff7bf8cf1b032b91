//go:build !faults

package main

import (
	"github.com/seed-7b870224/sluice/internal/dispatch"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// withFaults does nothing in the program as it is shipped. Built with the tag
// faults it can be told to die or freeze at any step of a command's life.
func withFaults(o dispatch.Options) (dispatch.Options, error) { return o, nil }

// withFaultyClock does nothing in the program as it is shipped.
func withFaultyClock(a vendors.Account) vendors.Account { return a }
