package main

import "runtime"

// heapFloor is counted as live heap without being memory: it is never touched. A
// small heap that turns over quickly would otherwise be collected many times a
// second, which takes a fifth of the processor at full load.
const heapFloor = 32 << 20

// holdHeapFloor makes the garbage collector wait for as much garbage as the floor, or
// more with a larger heap. release ends that. GOGC works as ever.
func holdHeapFloor() (release func()) {
	floor := make([]byte, heapFloor)
	return func() { runtime.KeepAlive(floor) }
}
