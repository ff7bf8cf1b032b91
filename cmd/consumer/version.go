package main

import "runtime/debug"

// version is stamped by the linker (-X main.version=...).
var version string

// buildVersion is the stamped version, or what the Go toolchain knows.
func buildVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "devel"
	}
	return info.Main.Version
}
