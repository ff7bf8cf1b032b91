package rig

import "flag"

var (
	full = flag.Bool("chaos.full", false, "run the long versions of the chaos scenarios")
	out  = flag.String("chaos.out", "", "also write the table of faults to this file")
	// Building takes a while; somebody who works on a scenario does it once.
	binary = flag.String("chaos.binary", "", "use this program, built with -tags faults, instead of building one")
)

// Full reports whether the long versions are wanted.
func Full() bool { return *full }
