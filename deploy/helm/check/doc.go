// Package check judges the Helm chart of Sluice: Helm itself renders it, the types of
// Kubernetes and of the operators read what came out, the real program reads the
// configuration, and Prometheus's own parser and promtool read rules and dashboard.
// It is a module of its own, so that none of them becomes a dependency of the program.
package check
