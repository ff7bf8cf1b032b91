// Package config reads the configuration: one YAML file, overridden by the
// environment and by flags, read strictly and checked completely before anything
// starts. Every mistake is reported with its place, all of them at once.
//
// It knows vendors only by their facts, opens no connection and starts nothing.
// Whatever it holds can be printed: secrets are secret.Text, and credentials are
// handed out one call at a time (see [Credentials.Current]).
package config

import (
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/secret"
)

// Config is a complete, valid configuration.
type Config struct {
	NATS    NATS    `yaml:"nats"`
	HTTP    HTTP    `yaml:"http"`
	Log     Log     `yaml:"log"`
	Ledger  Ledger  `yaml:"ledger"`
	Lease   Lease   `yaml:"lease"`
	Secrets Secrets `yaml:"secrets"`
	// Accounts is empty where nothing is to be served, as for client commands.
	Accounts []Account `yaml:"accounts"`
	Intake   Intake    `yaml:"intake"`
	// Warnings are what is valid and still looks wrong, a sentence each.
	Warnings []string `yaml:"-"`
}

// Account finds an account by vendor and name.
func (c *Config) Account(vendor, name string) (*Account, bool) {
	for i := range c.Accounts {
		if c.Accounts[i].Vendor == vendor && c.Accounts[i].Name == name {
			return &c.Accounts[i], true
		}
	}
	return nil, false
}

// NATS says which broker to use and how to reach it.
type NATS struct {
	// URL is the comma-separated list of servers, without user and password,
	// which a URL in the file may have held. Empty means the embedded server.
	URL             string      `yaml:"url" flag:"nats-url" doc:"Servers of the broker, comma-separated (nats://, tls://, ws://, wss://). Without it the embedded server runs."`
	CredentialsFile string      `yaml:"credentialsFile" doc:"Credentials file (.creds) with a user's JWT and seed."`
	NKeySeedFile    string      `yaml:"nkeySeedFile" doc:"File with a user's nkey seed."`
	User            string      `yaml:"user" doc:"User name; needs a password."`
	Password        secret.Text `yaml:"password" doc:"Password of the user."`
	Token           secret.Text `yaml:"token" doc:"Token, for servers that ask for one."`
	TLS             ClientTLS   `yaml:"tls"`
	Prefix          string      `yaml:"prefix" default:"sluice" doc:"First part of all subjects, and of the names of streams and buckets: 1 to 32 of a-z, 0-9, _ and -."`
	Replicas        int         `yaml:"replicas" default:"1" doc:"Replicas of streams and buckets, 1 to 5; more than 1 needs a cluster."`
	Embedded        Embedded    `yaml:"embedded"`
}

// UsesEmbedded reports that no server is named, so that the embedded one runs.
func (n NATS) UsesEmbedded() bool { return n.URL == "" }

// Servers lists the servers of URL.
func (n NATS) Servers() []string {
	var servers []string
	for server := range strings.SplitSeq(n.URL, ",") {
		if server = strings.TrimSpace(server); server != "" {
			servers = append(servers, server)
		}
	}
	return servers
}

// ClientTLS is how the broker's certificate is checked and ours is shown.
type ClientTLS struct {
	CA   string `yaml:"ca" doc:"File with the authorities to trust; default the system's."`
	Cert string `yaml:"cert" doc:"File with the client certificate; needs key."`
	Key  string `yaml:"key" doc:"File with the client certificate's key."`
}

// Embedded is the broker that runs inside the program when none is named.
type Embedded struct {
	StoreDir string `yaml:"storeDir" default:"./sluice-data" doc:"Directory of the embedded server's data."`
	Listen   string `yaml:"listen" default:"127.0.0.1:4222" doc:"Address on which clients reach the embedded server."`
	Sync     Sync   `yaml:"sync" default:"always" doc:"When data is forced to disk: always, or an interval such as 500ms, which may lose that much in a power failure."`
}

// HTTP is the listener for probes and metrics.
type HTTP struct {
	Listen string `yaml:"listen" default:"127.0.0.1:8080" flag:"http-listen" doc:"Address of /livez, /readyz and /metrics."`
}

// Log is what is logged, and how.
type Log struct {
	Level  string `yaml:"level" default:"info" flag:"log-level" doc:"Least level that is logged: debug, info, warn or error."`
	Format string `yaml:"format" default:"text" flag:"log-format" doc:"Form of log lines: text or json."`
}

// Ledger is how long the record of a token is kept.
type Ledger struct {
	Retention time.Duration `yaml:"retention" default:"168h" doc:"How long the record of a token is kept; a token used again later is new work."`
}

// Lease is the ownership of accounts.
type Lease struct {
	TTL time.Duration `yaml:"ttl" default:"8s" doc:"How long a lost replica's accounts stay its own; from 2s."`
}

// Secrets is where instance passwords come from.
type Secrets struct {
	Dir            string `yaml:"dir" default:"/etc/sluice/secrets" doc:"Directory in which a secretRef names a file; it need not exist."`
	XKeySeedFile   string `yaml:"xkeySeedFile" doc:"File with the X25519 seed (NATS xkey, SX...) that opens sealed passwords."`
	AllowPlaintext bool   `yaml:"allowPlaintext" default:"false" doc:"Whether a command may carry an instance's password in plain text."`
}
