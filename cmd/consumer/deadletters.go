package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nuid"
	"github.com/spf13/cobra"

	"github.com/seed-7b870224/sluice/internal/broker"
)

const deadLettersHelp = `Look at dead letters: messages that are no CloudEvents and so cannot be answered.
Each is kept whole for 30 days, with the reason and the subject it was published on.

  consumer deadletters list
  consumer deadletters redrive 12 13`

const listHelp = `List the newest dead letters, oldest first.

  consumer deadletters list --limit 20
  consumer deadletters list --output json | jq -r '.data | @base64d'

With --output json a line each, with headers and the payload in base64.

Exit codes: 0 listed, 1 the broker cannot be asked, 2 wrong usage.`

const redriveHelp = `Publish dead letters again as they were, on the subject they came from, for messages
that a newer consumer can read or that were kept by mistake.

  consumer deadletters redrive 12 13

The consumer then answers, or keeps a new dead letter; the old one stays listed
until it is 30 days old. A command among them that was carried out before is not
carried out twice, as long as the ledger knows its token.

Exit codes: 0 all published again, 1 some not, 2 wrong usage.`

func newDeadLetters(s std) *cobra.Command {
	var flags clientFlags
	cmd := &cobra.Command{
		Use: "deadletters", Short: "Look at dead letters and publish them again", Long: deadLettersHelp,
		SuggestionsMinimumDistance: 2,
		Args:                       unknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	flags.add(cmd)
	cmd.AddCommand(newDeadLettersList(s, &flags), newDeadLettersRedrive(s, &flags))
	return cmd
}

func newDeadLettersList(s std, flags *clientFlags) *cobra.Command {
	var limit int
	var output string
	cmd := &cobra.Command{
		Use: "list", Short: "List the newest dead letters", Long: listHelp + clientHelp, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			if limit < 1 {
				return usagef("--limit is %d; it is at least 1", limit)
			}
			c, err := flags.connect(cmd.Context())
			if err != nil {
				return err
			}
			defer c.Close()
			letters, err := c.DeadLetters(cmd.Context(), limit)
			if err != nil {
				return c.hint(err)
			}
			return printDeadLetters(s, letters, output)
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 100, "at most so many")
	outputFlag(cmd, &output)
	return cmd
}

// deadLetter is one dead letter as JSON.
type deadLetter struct {
	ID      uint64        `json:"id"`
	Time    time.Time     `json:"time"`
	Reason  string        `json:"reason"`
	Subject string        `json:"subject"`
	Detail  string        `json:"detail"`
	Bytes   int           `json:"bytes"`
	Header  broker.Header `json:"header,omitempty"`
	Data    []byte        `json:"data"`
}

func printDeadLetters(s std, letters []broker.DeadLetter, output string) error {
	t := &table{header: []string{"ID", "TIME", "REASON", "SUBJECT", "BYTES", "DETAIL"}}
	for _, l := range letters {
		d := deadLetter{
			ID: l.Sequence, Time: l.Time.UTC(), Bytes: len(l.Data), Header: l.Header, Data: l.Data,
			Reason: headerOf(l.Header, "Sluice-Reason"), Subject: headerOf(l.Header, "Sluice-Subject"), Detail: headerOf(l.Header, "Sluice-Detail"),
		}
		if output == "json" {
			if err := writeJSON(s.out, d); err != nil {
				return err
			}
			continue
		}
		t.row(strconv.FormatUint(d.ID, 10), moment(d.Time), d.Reason, d.Subject, strconv.Itoa(d.Bytes), d.Detail)
	}
	if output == "json" {
		return nil
	}
	if len(letters) == 0 {
		fmt.Fprintln(s.out, "no dead letters")
		return nil
	}
	t.print(s.out, false)
	return nil
}

func newDeadLettersRedrive(s std, flags *clientFlags) *cobra.Command {
	return &cobra.Command{
		Use: "redrive ID...", Short: "Publish dead letters again", Long: redriveHelp + clientHelp, Args: atLeast(1, "the id of a dead letter"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ids := make([]uint64, len(args))
			for i, arg := range args {
				id, err := strconv.ParseUint(arg, 10, 64)
				if err != nil || id == 0 {
					return usagef("%q is no id of a dead letter; %q shows them", arg, "consumer deadletters list")
				}
				ids[i] = id
			}
			c, err := flags.connect(cmd.Context())
			if err != nil {
				return err
			}
			defer c.Close()
			return redriveAll(cmd.Context(), s, c, ids)
		},
	}
}

// redriveAll publishes each again; one that fails does not stop the others.
func redriveAll(ctx context.Context, s std, c *client, ids []uint64) error {
	failed := false
	for _, id := range ids {
		subject, err := redrive(ctx, c, id)
		if err != nil {
			failed = true
			fmt.Fprintf(s.err, "Error: dead letter %d was not published again: %v\n", id, err)
			continue
		}
		fmt.Fprintf(s.out, "%d  published again on %s; it is a command like any other now, and its copy here ages out\n", id, printable(subject))
	}
	if failed {
		return errSilent
	}
	return nil
}

// redrive publishes one dead letter again and returns its subject.
func redrive(ctx context.Context, c *client, id uint64) (string, error) {
	letter, err := c.DeadLetter(ctx, id)
	if errors.Is(err, broker.ErrNotFound) {
		return "", errors.New("there is none with this id; \"consumer deadletters list\" shows them")
	}
	if err != nil {
		return "", c.hint(err)
	}
	subject := headerOf(letter.Header, "Sluice-Subject")
	if subject == "" {
		return "", errors.New("it has no header Sluice-Subject that says where it came from")
	}
	header := broker.Header{}
	for name, values := range letter.Header {
		if !isOurs(name) {
			header[name] = values
		}
	}
	// A fresh id: the broker would swallow a second redrive within its duplicate
	// window without a word.
	out := broker.Outgoing{Subject: subject, ID: "redrive-" + nuid.Next(), Header: header, Data: letter.Data}
	return subject, c.Publish(ctx, out)
}

// isOurs reports headers that transport and dead-lettering have added.
func isOurs(name string) bool {
	lower := strings.ToLower(name)
	return strings.HasPrefix(lower, "sluice-") || strings.HasPrefix(lower, "nats-")
}

// headerOf finds a header in any case.
func headerOf(header broker.Header, name string) string {
	for k, values := range header {
		if strings.EqualFold(k, name) && len(values) > 0 {
			return values[0]
		}
	}
	return ""
}
