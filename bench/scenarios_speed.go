package main

// speedScenarios are throughput and latency beside the rivals.
func speedScenarios() []Scenario {
	return []Scenario{
		{"throughput", "commands a second through a backlog, default sync", throughputDefault},
		{"always", "commands a second through a backlog, every message synced to disk", throughputAlways},
		{"latency", "publish to the mutation's arrival at the vendor, idle", latency},
	}
}
