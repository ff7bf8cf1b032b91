package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/config"
	"github.com/seed-7b870224/sluice/internal/dispatch"
)

// natsOptions is how the configuration says to connect.
func natsOptions(conf *config.Config, log *slog.Logger) broker.Options {
	n := conf.NATS
	o := broker.Options{
		URL: n.URL, CredentialsFile: n.CredentialsFile, NKeySeedFile: n.NKeySeedFile,
		User: n.User, Password: n.Password, Token: n.Token, CA: n.TLS.CA, Cert: n.TLS.Cert, Key: n.TLS.Key,
		Name: "sluice " + hostname(), Prefix: n.Prefix, Replicas: n.Replicas,
		LedgerRetention: conf.Ledger.Retention, LeaseTTL: conf.Lease.TTL, Logger: log,
	}
	for _, a := range conf.Accounts {
		o.Accounts = append(o.Accounts, broker.AccountSubject{Vendor: a.Vendor, Account: a.Name})
	}
	return o
}

// startEmbedded starts the embedded server of the configuration.
func startEmbedded(conf *config.Config, log *slog.Logger) (*broker.Server, error) {
	e := conf.NATS.Embedded
	return broker.StartServer(broker.ServerOptions{
		StoreDir: e.StoreDir, Listen: e.Listen, SyncAlways: e.Sync.Always, SyncInterval: e.Sync.Interval, Logger: log,
	})
}

// engineBroker is the connection as the engine sees it.
type engineBroker struct{ *broker.Conn }

// Lane opens a lane's queue.
func (b engineBroker) Lane(ctx context.Context, subject string, ackWait time.Duration, maxPending int) (dispatch.Lane, error) {
	q, err := b.Conn.Lane(ctx, broker.LaneSpec{Subject: subject, AckWait: ackWait, MaxPending: maxPending})
	if err != nil {
		return nil, err
	}
	return q, nil
}

// Intake opens the intake's queue.
func (b engineBroker) Intake(ctx context.Context) (dispatch.Lane, error) {
	q, err := b.IntakeQueue(ctx)
	if err != nil {
		return nil, err
	}
	return q, nil
}

// hostname names this machine in connection lists and leases.
func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown-host"
	}
	return name
}
