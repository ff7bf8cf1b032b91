// Package rig is what the chaos tests stand on: the program as real processes,
// the emulated clouds, a publisher that remembers what was acknowledged, and an
// audit that compares what was asked, what was answered and what took effect.
// It is used by tests only.
package rig
