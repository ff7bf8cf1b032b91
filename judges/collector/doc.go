// Package collector judges Sluice's traces: the OpenTelemetry collector's own OTLP
// receiver takes what a real consumer sends. It is a module of its own, so that the
// collector stays out of the program's dependencies.
package collector
