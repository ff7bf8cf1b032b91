package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/config"
	"github.com/seed-7b870224/sluice/internal/events"
)

// connectBound is how long a client command waits for the broker.
const connectBound = 5 * time.Second

const clientHelp = `

The broker is the one of --nats-url, else SLUICE_NATS_URL, else of the file given with
--config, else nats://127.0.0.1:4222, where "consumer run" keeps its embedded server.`

// clientFlags say where the broker is; all client commands have them.
type clientFlags struct {
	config, url, creds, prefix string
}

// add defines the flags.
func (f *clientFlags) add(cmd *cobra.Command) {
	flags := cmd.PersistentFlags()
	flags.StringVarP(&f.config, "config", "c", "", "configuration file, for its nats section")
	flags.StringVar(&f.url, "nats-url", "", "servers of the broker, comma-separated (overrides nats.url)")
	flags.StringVar(&f.creds, "creds", "", "NATS credentials file (overrides nats.credentialsFile)")
	flags.StringVar(&f.prefix, "prefix", "", "prefix of subjects and streams (overrides nats.prefix; default sluice)")
	cmd.Long += clientHelp
}

// load reads the configuration that the flags and the environment make.
func (f *clientFlags) load() (*config.Config, error) {
	overrides := map[string]string{}
	for path, value := range map[string]string{"nats.url": f.url, "nats.credentialsFile": f.creds, "nats.prefix": f.prefix} {
		if value != "" {
			overrides[path] = value
		}
	}
	conf, err := config.Load(f.config, config.Options{Catalog: catalog(), Flags: overrides})
	if err != nil {
		return nil, usageError{err}
	}
	return conf, nil
}

// client is a connection to the broker and the names used there.
type client struct {
	*broker.Conn
	subjects events.Subjects
	url      string
}

// connect reaches the broker, or says within connectBound why not.
func (f *clientFlags) connect(ctx context.Context) (*client, error) {
	conf, err := f.load()
	if err != nil {
		return nil, err
	}
	options := natsOptions(conf, nil)
	options.Name = "sluice client " + hostname()
	if conf.NATS.UsesEmbedded() {
		options.URL = embeddedURL(conf.NATS.Embedded.Listen)
	}
	conn, err := broker.Connect(ctx, options)
	if err != nil {
		return nil, usageError{err}
	}
	bounded, cancel := context.WithTimeout(ctx, connectBound)
	defer cancel()
	if err := conn.WaitConnected(bounded); err != nil {
		conn.Close()
		if ctx.Err() != nil {
			return nil, fmt.Errorf("connect to the broker at %s: interrupted: %w", options.URL, ctx.Err())
		}
		// The first line is the reason; the second says that the time is up.
		reason, _, _ := strings.Cut(err.Error(), "\n")
		return nil, fmt.Errorf("no connection to the broker at %s within %s: %s; start it, or name another with --nats-url, SLUICE_NATS_URL or --config (which may also say who you are, like --creds)",
			options.URL, connectBound, reason)
	}
	return &client{conn, events.Subjects{Prefix: conf.NATS.Prefix}, options.URL}, nil
}

// results follows results and says what may be missing when it cannot.
func (c *client) results(ctx context.Context, filter broker.ResultFilter) (<-chan broker.ResultMessage, error) {
	results, err := c.Results(ctx, filter)
	if err != nil {
		return nil, c.hint(err)
	}
	return results, nil
}

// hint adds what is usually wrong when something stored cannot be asked for.
func (c *client) hint(err error) error {
	var refusal *broker.ForbiddenError
	if errors.As(err, &refusal) {
		return err
	}
	return fmt.Errorf("%w; see that a consumer with prefix %q has started at %s, and that this user may read there",
		err, c.subjects.Prefix, c.url)
}

// ended says why results that were followed come no more.
func (c *client) ended() error {
	if err := c.Refused(); err != nil {
		return err
	}
	return fmt.Errorf("see the log of the broker at %s and try again", c.url)
}

// embeddedURL is where a client reaches an embedded server that listens there.
func embeddedURL(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "nats://" + listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "nats://" + net.JoinHostPort(host, port)
}

// vendorNames lists the vendors.
func vendorNames() []string { return slices.Sorted(maps.Keys(catalog())) }

// statuses lists what a result can be.
func statuses() []string {
	return []string{events.Accepted, events.Succeeded, events.Failed, events.Rejected, events.Expired, events.Indeterminate, events.Cancelled}
}

// oneOf refuses a value that is not in the list; empty means not given.
func oneOf(what, value string, known []string) error {
	if value == "" || slices.Contains(known, value) {
		return nil
	}
	return usagef("%s %q is not known; it is one of %s", what, value, strings.Join(known, ", "))
}

// subjectPart refuses what cannot be part of a subject; empty means not given.
func subjectPart(flag, value string) error {
	if strings.IndexFunc(value, func(r rune) bool { return !isSubjectRune(r) }) >= 0 || len(value) > 64 {
		return usagef("%s is %q; it has up to 64 letters, digits, - and _", flag, value)
	}
	return nil
}

func isSubjectRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_'
}

// complete registers the values of a flag for shell completion.
func complete(cmd *cobra.Command, flag string, values []string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}
