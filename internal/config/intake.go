package config

import (
	"slices"

	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// Intake is the listener for publishers that cannot speak NATS.
type Intake struct {
	Listen       string      `yaml:"listen" doc:"Address of the intake over HTTP; it is off without one."`
	TLS          ServerTLS   `yaml:"tls"`
	Publishers   []Publisher `yaml:"publishers"`
	Alertmanager []Route     `yaml:"alertmanager"`
}

// IntakeConfigured reports that the intake is to listen.
func (c *Config) IntakeConfigured() bool { return c.Intake.Listen != "" }

// Publisher finds a publisher by name.
func (i Intake) Publisher(name string) (Publisher, bool) {
	at := slices.IndexFunc(i.Publishers, func(p Publisher) bool { return p.Name == name })
	if at < 0 {
		return Publisher{}, false
	}
	return i.Publishers[at], true
}

// ServerTLS is the certificate that the intake shows and asks for.
type ServerTLS struct {
	Cert     string `yaml:"cert" doc:"File with the intake's certificate; needs key."`
	Key      string `yaml:"key" doc:"File with the certificate's key."`
	ClientCA string `yaml:"clientCA" doc:"File with the authorities of client certificates, for publishers with clientCert."`
}

// Publisher is somebody who may publish over HTTP, and what for.
type Publisher struct {
	Name       string              `yaml:"name" doc:"Name of the publisher, part of the source of its events: a-z, 0-9 and -, up to 32. Required."`
	Token      secret.Text         `yaml:"token" doc:"Bearer token by which the publisher is known. This or clientCert."`
	ClientCert string              `yaml:"clientCert" doc:"Common name of the client certificate by which the publisher is known. This or token."`
	Allow      []vendors.Operation `yaml:"allow" doc:"Operations that the publisher may ask for. Required."`
	Accounts   []string            `yaml:"accounts" doc:"Names of the accounts that it may ask for. Default: all."`
}

// May reports whether the publisher may ask for the operation on the account.
func (p Publisher) May(op vendors.Operation, account string) bool {
	return slices.Contains(p.Allow, op) && (p.Accounts == nil || slices.Contains(p.Accounts, account))
}

// Route turns the alerts of one Alertmanager webhook into commands.
type Route struct {
	Name      string            `yaml:"name" doc:"Name of the route: POST /v1/alertmanager/<name>. Required."`
	Publisher string            `yaml:"publisher" doc:"The publisher who may use the route and whose rights it has. Required."`
	Match     map[string]string `yaml:"match" key:"label" doc:"Value that this label of an alert must have; other alerts are skipped."`
	Command   CommandTemplate   `yaml:"command"`
}

// CommandTemplate is the command that an alert becomes.
type CommandTemplate struct {
	Operation   Template `yaml:"operation" doc:"Operation, as a text/template over the alert (.Labels, .Annotations, .StartsAt, .Fingerprint). Required."`
	Vendor      Template `yaml:"vendor" doc:"Vendor, a template like operation. Required."`
	Account     Template `yaml:"account" doc:"Account, a template like operation. Required."`
	Region      Template `yaml:"region" doc:"Region, a template like operation. Required."`
	InstanceID  Template `yaml:"instanceId" doc:"Instance, a template like operation. Required."`
	Priority    Template `yaml:"priority" default:"normal" doc:"Priority, a template like operation."`
	ClientToken Template `yaml:"clientToken" doc:"Token, a template like operation. Default: made from route name, fingerprint and startsAt."`
}
