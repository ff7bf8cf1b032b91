// Package install installs the chart with Helm in a real API server of Kubernetes, with
// its store, its validation and its admission, but without nodes: nothing runs.
package install
