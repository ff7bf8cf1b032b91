package main

// paceScenarios are the calls as the vendor sees them.
func paceScenarios() []Scenario {
	return []Scenario{
		{"pace", "calls a second at the vendor under a backlog, by quota and replicas", exactPace},
		{"handover", "calls a second while an account changes hands", handOver},
		{"adaptive", "calls a second while the vendor allows less than is configured", adaptive},
		{"urgent", "calls before an urgent command's among waiting bulk work", urgentFirst},
		{"share", "what is left for bulk work under constant urgent load", alwaysUrgent},
		{"held", "urgent commands while bulk work in flight is all that is allowed", allHeld},
		{"isolation", "one vendor's latency and rate while three others fail", isolation},
		{"coalesced", "instances and look-ups a second where a call takes fifty", coalesced},
		{"polls", "polls a second by the number of operations followed", polls},
	}
}
