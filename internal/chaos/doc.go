// Package chaos makes faults on one machine, with real processes on real brokers,
// and checks that no command is lost, answered twice or carried out twice. The
// tests are the package; internal/chaos/rig is what they stand on.
package chaos
