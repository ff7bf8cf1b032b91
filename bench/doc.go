// Command bench measures Sluice with real processes on the loopback interface,
// beside a bare nats.go program and a Watermill router that do the same job in the
// same run, and prints a table of goals and figures.
//
// Figures of a noisy machine are only good beside each other: rivals take turns
// round by round, and the table shows medians.
package main
