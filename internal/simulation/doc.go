// Package simulation proves the engine's promises under faults: several replicas
// of the real engine run on a simulated broker, simulated clouds and virtual
// time, under random schedules that a seed repeats, and a checker then reads the
// records of that world, never the engine's own state.
//
// All of it is test code. Where to read: schedule_test.go (what happens in a
// run), world_test.go and its neighbours stream, consumer, bucket (the broker's
// truth), link_test.go (how a replica reaches it, and how that fails),
// cloud_test.go (the clouds), adapter_test.go and its neighbours call, mutate,
// prepare (how an engine reaches them), checks_*_test.go (a promise each),
// mutations_test.go (that the checker would notice).
package simulation
