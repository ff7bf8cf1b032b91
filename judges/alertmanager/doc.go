// Package alertmanager lets the real Alertmanager judge the intake. Its test builds
// Alertmanager from its Go module and the program from this repository, runs both as
// processes with the emulated clouds, and posts alerts to Alertmanager's API.
//
// It is a module of its own and holds nothing but a test: the program never links
// Alertmanager. The version is the newest one whose module builds without first
// building its web interface (later ones embed files that are made in a release).
// Run it with `go test ./...` in this directory; it talks to the loopback interface
// only.
package alertmanager
