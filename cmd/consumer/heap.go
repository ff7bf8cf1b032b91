package main

import (
	"math"
	"runtime"
	"runtime/debug"
	"strconv"
)

// heapFloor is counted as live heap without being memory: it is never touched. A
// small heap that turns over quickly would otherwise be collected many times a
// second, which takes a fifth of the processor at full load.
const heapFloor = 32 << 20

// holdHeapFloor makes the garbage collector wait for as much garbage as the floor, or
// more with a larger heap. release ends that. GOGC works as ever.
func holdHeapFloor() (release func()) {
	floor := make([]byte, floorFor(memoryLimit()))
	return func() { runtime.KeepAlive(floor) }
}

// floorFor is the floor under a memory limit, against which the runtime counts the
// floor too: a small limit leaves most of its room to what is really used.
func floorFor(limit int64) int { return int(min(heapFloor, limit/8)) }

// memoryLimit is the limit that GOMEMLIMIT has set, or math.MaxInt64.
func memoryLimit() int64 { return debug.SetMemoryLimit(-1) }

// limits is what the environment allows the process, for the log.
func limits() []any {
	memory := "none"
	if limit := memoryLimit(); limit != math.MaxInt64 {
		memory = strconv.FormatInt(limit>>20, 10) + "MiB"
	}
	return []any{"gomaxprocs", allowed, "gomemlimit", memory}
}
