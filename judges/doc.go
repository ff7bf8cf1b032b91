// Package judges lets the vendors' own SDKs judge this project. Its tests drive
// the emulated clouds with the official Go clients of Volcengine, Huawei and
// Tencent, and compare our signers with theirs on random input, so that neither
// the emulator nor the adapters are checked by themselves alone.
//
// It is a module of its own and holds nothing but tests: the program never links
// an SDK, and whoever builds the program never downloads one. Run it with
// `go test ./...` in this directory; it talks to the loopback interface only.
package judges
