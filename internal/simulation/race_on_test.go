//go:build race

package simulation

// raceEnabled reports that the race detector watches, which makes all of this
// several times slower.
const raceEnabled = true
