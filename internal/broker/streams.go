package broker

import (
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	duplicateWindow = 2 * time.Minute
	answersAge      = 30 * 24 * time.Hour
	// maxLanes is the limit of consumers on the commands stream. Without one of
	// the stream's own, newer servers allow a thousand.
	maxLanes = 100_000
)

// streamConfigs are the five streams as the contract has them. A limit of
// consumers that the account has must not be exceeded; 0 or less is none.
func (c *Conn) streamConfigs(maxConsumers int) []jetstream.StreamConfig {
	if maxConsumers <= 0 || maxConsumers > maxLanes {
		maxConsumers = maxLanes
	}
	configs := []jetstream.StreamConfig{
		c.commandsConfig(maxConsumers),
		c.answersConfig(c.names.results, "results"),
		c.answersConfig(c.names.deadLetters, "deadletters"),
		c.bucketConfig(c.names.ledger, c.opts.LedgerRetention),
		c.bucketConfig(c.names.leases, c.opts.LeaseTTL),
	}
	for i := range configs {
		configs[i].AllowAtomicPublish = c.groups[configs[i].Name] != nil && knowsBatches(c.nc)
	}
	return configs
}

// commandsConfig takes subjects of configured accounts only, so that a publish
// for any other is refused at the publisher's side.
func (c *Conn) commandsConfig(maxConsumers int) jetstream.StreamConfig {
	subjects := []string{c.names.intake()}
	for _, a := range c.opts.Accounts {
		subjects = append(subjects, c.names.prefix+".commands."+a.Vendor+"."+a.Account+".*.*.*")
	}
	cfg := c.baseConfig(c.names.commands)
	cfg.Subjects = subjects
	cfg.Retention = jetstream.WorkQueuePolicy
	cfg.Discard = jetstream.DiscardNew
	cfg.MaxConsumers = maxConsumers
	return cfg
}

func (c *Conn) answersConfig(name, kind string) jetstream.StreamConfig {
	cfg := c.baseConfig(name)
	cfg.Subjects = []string{c.names.prefix + "." + kind + ".>"}
	cfg.MaxAge = answersAge
	return cfg
}

// bucketConfig is the layout that NATS clients expect of a key-value bucket. The
// time to live is the bucket's: one given to a key is lost on its next update.
func (c *Conn) bucketConfig(bucket string, ttl time.Duration) jetstream.StreamConfig {
	cfg := c.baseConfig(bucketStream(bucket))
	cfg.Subjects = []string{"$KV." + bucket + ".>"}
	cfg.MaxMsgsPerSubject = 1
	cfg.MaxAge = ttl
	cfg.Duplicates = min(duplicateWindow, ttl)
	cfg.Discard = jetstream.DiscardNew
	cfg.DenyDelete = true
	cfg.AllowRollup = true
	return cfg
}

func (c *Conn) baseConfig(name string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: name, Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy,
		Replicas: c.opts.Replicas, Duplicates: duplicateWindow, AllowDirect: true,
		MaxMsgs: -1, MaxBytes: -1, MaxMsgSize: -1, MaxMsgsPerSubject: -1, MaxConsumers: -1,
	}
}
