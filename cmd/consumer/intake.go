package main

import (
	"context"
	"slices"
	"time"

	"github.com/seed-7b870224/sluice/internal/config"
	"github.com/seed-7b870224/sluice/internal/dispatch"
	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/intake"
)

// intakeGrace is how long requests to the intake may take to end after a stop.
const intakeGrace = 8 * time.Second

// startIntake listens for publishers over HTTP. It answers 503 until the broker takes
// its commands.
func (c *consumer) startIntake(accts []dispatch.Account, secrets dispatch.Secrets) error {
	var err error
	if c.signer, err = intake.NewSigner(c.conn.Ledger(), c.conf.Ledger.Retention, c.log); err != nil {
		return err
	}
	conf := c.conf.Intake
	handler := intake.New(intake.Options{
		Clients: intakeClients(conf), Routes: intakeRoutes(conf),
		Subjects: events.Subjects{Prefix: c.conf.NATS.Prefix}, Broker: c.conn,
		Check: dispatch.NewChecker(accts, secrets, c.conf.Secrets.AllowPlaintext), Sign: c.signer.Sign,
		AlertAge: alertAge(c.conf), Metrics: intake.NewMetrics(c.registry), Logger: c.log,
	})
	files := intake.TLS{Cert: conf.TLS.Cert, Key: conf.TLS.Key, ClientCA: conf.TLS.ClientCA}
	if c.intake, err = intake.Listen(conf.Listen, files, handler, c.log); err != nil {
		return usageError{err}
	}
	c.log.Info("intake over HTTP", "listen", c.intake.Addr(), "tls", files.Cert != "", "publishers", len(conf.Publishers))
	return nil
}

// alertAge is how long an alert may have been firing to become a command. The ledger
// remembers a token for its retention; what is stored now may wait in its lane for as
// long as it does not expire, and must still be known then.
func alertAge(conf *config.Config) time.Duration {
	const slack = 5 * time.Minute
	var longest time.Duration
	for _, a := range conf.Accounts {
		longest = max(longest, a.Expiry.Urgent, a.Expiry.Normal, a.Expiry.Bulk)
	}
	return max(conf.Ledger.Retention-longest-slack, conf.Ledger.Retention/4)
}

func intakeClients(conf config.Intake) []intake.Client {
	var out []intake.Client
	for _, p := range conf.Publishers {
		client := intake.Client{Name: p.Name, Token: p.Token, CommonName: p.ClientCert, Accounts: slices.Clone(p.Accounts)}
		for _, op := range p.Allow {
			client.Operations = append(client.Operations, string(op))
		}
		out = append(out, client)
	}
	return out
}

func intakeRoutes(conf config.Intake) []intake.Route {
	var out []intake.Route
	for _, r := range conf.Alertmanager {
		out = append(out, intake.Route{
			Name: r.Name, Client: r.Publisher, Match: r.Match,
			Operation: alertTemplate(r.Command.Operation), Vendor: alertTemplate(r.Command.Vendor),
			Account: alertTemplate(r.Command.Account), Region: alertTemplate(r.Command.Region),
			InstanceID: alertTemplate(r.Command.InstanceID), Priority: alertTemplate(r.Command.Priority),
			ClientToken: alertTemplate(r.Command.ClientToken),
		})
	}
	return out
}

// alertTemplate is a template of the configuration as the intake takes it.
func alertTemplate(t config.Template) intake.Template {
	if t.Empty() {
		return nil
	}
	return func(a intake.Alert) (string, error) { return t.Execute(config.Alert(a)) }
}

// intakeDrained ends the intake within its grace: what it has taken is stored while
// the connection still is.
func (c *consumer) intakeDrained(ctx context.Context) {
	if c.intake == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), intakeGrace)
	defer cancel()
	c.intake.Drain(ctx)
}
