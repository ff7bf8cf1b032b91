package broker

import "strings"

// names are those of the streams and buckets under one prefix.
type names struct {
	prefix                         string
	commands, results, deadLetters string
	ledger, leases                 string
}

func namesOf(prefix string) names {
	upper := strings.ToUpper(prefix)
	return names{
		prefix:      prefix,
		commands:    upper + "_COMMANDS",
		results:     upper + "_RESULTS",
		deadLetters: upper + "_DEADLETTERS",
		ledger:      prefix + "_ledger",
		leases:      prefix + "_leases",
	}
}

// streams are the JetStream names of all five.
func (n names) streams() []string {
	return []string{n.commands, n.results, n.deadLetters, bucketStream(n.ledger), bucketStream(n.leases)}
}

// intake is the subject of commands whose publisher cannot compute a lane.
func (n names) intake() string { return n.prefix + ".intake" }

// streamOf is the stream that takes a subject, for error texts.
func (n names) streamOf(subject string) string {
	kind, _, _ := strings.Cut(strings.TrimPrefix(subject, n.prefix+"."), ".")
	switch kind {
	case "results":
		return n.results
	case "deadletters":
		return n.deadLetters
	default:
		return n.commands
	}
}

// bucketStream is the stream behind a key-value bucket.
func bucketStream(bucket string) string { return "KV_" + bucket }
