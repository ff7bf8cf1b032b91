package main

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
)

// watching runs watch until it has printed so many lines.
func watching(t *testing.T, lines int, args ...string) outcome {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	out := &stopAfter{lines: lines, stop: stop}
	var errs bytes.Buffer
	code := run(ctx, append([]string{"watch"}, args...), std{strings.NewReader(""), out, &errs})
	return outcome{code, out.buf.String(), errs.String()}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	command := func(vendor, account, instance string) events.Command {
		return events.Command{
			Event: events.Ref{ID: instance, Source: "/t"}, Token: "T-" + instance, Key: events.TokenKey("T-" + instance),
			Vendor: vendor, Account: account, Region: "r-1", Operation: "restart", InstanceID: instance, Priority: "normal",
		}
	}
	one, two, three := command("volcengine", "prod", "i-1"), command("huawei", "hw", "i-2"), command("huawei", "hw", "i-3")
	b.publish(one, finished(one, events.Succeeded))
	failed := finished(two, events.Failed)
	failed.Reason = &events.Reason{Code: events.ReasonVendorRefused, Message: "no"}
	b.publish(two, failed)
	late := three.NewResult(events.Expired)
	b.publish(three, late)

	lineOne := "WHEN  succeeded      volcengine/prod/r-1  restart i-1  in 1.5s (waited 250ms)  token T-i-1\n"
	lineTwo := "WHEN  failed         huawei/hw/r-1  restart i-2  in 1.5s (waited 250ms)  vendor_refused: no  token T-i-2\n"
	lineThree := "WHEN  expired        huawei/hw/r-1  restart i-3  token T-i-3\n"
	when := regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`)
	for _, test := range []struct {
		name, want string
		args       []string
	}{
		{"all", lineOne + lineTwo + lineThree, nil},
		{"vendor and account", lineTwo + lineThree, []string{"--vendor", "huawei", "--account", "hw"}},
		{"one status", lineTwo, []string{"--status", "failed"}},
		{"two statuses", lineTwo + lineThree, []string{"--status", "failed,expired", "--operation", "restart", "--region", "r-1"}},
		{"statuses repeated", lineOne + lineThree, []string{"--status", "succeeded", "--status", "expired"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"--nats-url", b.url, "--since", "1h"}, test.args...)
			got := watching(t, strings.Count(test.want, "\n"), args...)
			got.out = when.ReplaceAllString(got.out, "WHEN")
			got.want(t, exitOK, test.want)
		})
	}
	t.Run("json", func(t *testing.T) {
		t.Parallel()
		got := watching(t, 1, "--nats-url", b.url, "--since", "1h", "--output", "json", "--status", "expired")
		e, err := events.DecodeResult([]byte(got.out))
		if err != nil || e.Data.ClientToken != "T-i-3" || got.code != exitOK {
			t.Errorf("exit %d, %v: %s%s", got.code, err, got.out, got.err)
		}
	})
}

func TestWatchRefuses(t *testing.T) {
	t.Parallel()
	for say, args := range map[string][]string{
		`--status "done" is not known`:   {"--status", "done"},
		`--vendor "aws" is not known`:    {"--vendor", "aws"},
		`--operation "x" is not known`:   {"--operation", "x"},
		`--account is "a.b"`:             {"--account", "a.b"},
		"--since is -1s":                 {"--since", "-1s"},
		"takes no arguments":             {"everything"},
		`--output is "yaml"; it is text`: {"-o", "yaml"},
	} {
		consumerWith(t, "", append([]string{"watch"}, args...)...).want(t, exitUsage, "", say)
	}
}

func TestWatchWithoutStreams(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	consumerWith(t, "", "watch", "--nats-url", b.url, "--prefix", "unknown").want(t, exitFailure, "",
		`see that a consumer with prefix "unknown" has started at `+b.url)
}

func TestWatchInterruptedBeforeItBegan(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var out, errs bytes.Buffer
	code := run(ctx, []string{"watch", "--nats-url", "nats://127.0.0.1:1"}, std{strings.NewReader(""), &out, &errs})
	outcome{code, out.String(), errs.String()}.want(t, exitOK, "")
}
