package chaos

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-7b870224/sluice/internal/chaos/rig"
	"github.com/seed-7b870224/sluice/internal/emulator"
	"github.com/seed-7b870224/sluice/internal/ledger"
)

const (
	// sceneLease is longer than the shortest there is, so that a busy machine
	// does not lose leases by itself, and shorter than an election.
	sceneLease = 6 * time.Second
	// sceneLife is the life of signatures, longer than a lease is used.
	sceneLife = 8 * time.Second
	// sceneRate is commands a second, sceneLatency what each call to a cloud takes.
	sceneRate    = 8
	sceneLatency = 300 * time.Millisecond
)

// scene is a steady load of mixed commands on a few consumers, whose broker, or
// whose connection to it, is treated badly.
type scene struct {
	t         *testing.T
	name      string
	prefix    string
	broker    string // for everybody but the consumers
	clouds    *rig.Clouds
	publisher *rig.Publisher
	results   *rig.Results
	consumers []*rig.Consumer
	stopLoad  func()
	faults    []time.Time
}

// reserve waits until a scene's processes may run. In the long version they are
// built with the race detector and work for minutes, so that each counts for two.
func reserve(t *testing.T, processes int) {
	t.Helper()
	rig.Reserve(t, int64(times(processes, 2*processes)))
}

// newScene starts a consumer for each of the URLs, all on one broker, which others
// reach at the last argument, and a load on them.
func newScene(t *testing.T, name string, conf rig.Config, urls []string, broker string) *scene {
	t.Helper()
	s := prepareScene(t, name, broker)
	for i, url := range urls {
		conf.NATS = url
		s.add(fmt.Sprintf("%s-%d", name, i+1), conf)
	}
	s.open()
	return s
}

// prepareScene makes the clouds of a scene. They take their time, so that a fault
// finds commands in every step of their lives.
func prepareScene(t *testing.T, name, broker string) *scene {
	t.Helper()
	clouds := rig.NewClouds(t, emulator.Options{Quirks: emulator.Quirks{SignatureLife: sceneLife}})
	if _, err := clouds.SetFault(emulator.Fault{Kind: emulator.FaultLatency, Delay: sceneLatency}); err != nil {
		t.Fatal(err)
	}
	return &scene{t: t, name: name, prefix: rig.Prefix(t), broker: broker, clouds: clouds}
}

// prepare makes a consumer of the scene without starting it.
func (s *scene) prepare(name string, conf rig.Config) *rig.Consumer {
	s.t.Helper()
	conf.Prefix, conf.LeaseTTL, conf.Accounts = s.prefix, sceneLease, rig.Accounts(s.clouds)
	c := rig.NewConsumer(s.t, name, conf)
	s.consumers = append(s.consumers, c)
	return c
}

// add starts a consumer of the scene and waits until it is ready.
func (s *scene) add(name string, conf rig.Config) *rig.Consumer {
	s.t.Helper()
	c := s.prepare(name, conf)
	s.start(c)
	c.WaitReady()
	return c
}

// start starts a consumer's process under the short signatures of the clouds.
func (s *scene) start(c *rig.Consumer) {
	s.t.Helper()
	c.Start("SLUICE_FAULT_SIGNATURE_LIFE=" + sceneLife.String())
}

// open begins the load and returns when commands are being answered.
func (s *scene) open() {
	s.t.Helper()
	s.publisher = rig.NewPublisher(s.t, s.broker, s.prefix)
	s.results = rig.NewResults(s.t, s.broker, s.prefix)
	s.stopLoad = s.publisher.Load(sceneRate, rig.Mix(s.name))
	s.flows()
}

// flows returns when ten more commands are answered than are now.
func (s *scene) flows() {
	s.t.Helper()
	before := s.finals()
	rig.Eventually(s.t, "ten more answers", func() bool { return s.finals() >= before+10 })
}

// finals counts the final results that can be read now.
func (s *scene) finals() int {
	ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Second)
	defer cancel()
	read, _ := s.results.Read(ctx) // what cannot be read now is read later
	n := 0
	for _, r := range read {
		if r.Data.Final {
			n++
		}
	}
	return n
}

// fault makes a fault and remembers when.
func (s *scene) fault(make func()) {
	s.faults = append(s.faults, time.Now())
	make()
}

// rest passes time under load: a fault has to last.
func (s *scene) rest(d time.Duration) {
	select {
	case <-time.After(d):
	case <-s.t.Context().Done():
	}
}

// settle ends the load, waits for every answer, judges, and adds the row.
func (s *scene) settle(fault string) rig.Tally {
	s.t.Helper()
	s.stopLoad()
	tally := rig.Settled(s.t, rig.Patience, s.publisher, s.results, s.clouds)
	tally.MustBeClean(s.t)
	s.everyCallHasItsRecord()
	answers, _ := s.results.Read(s.t.Context())
	worst := worstSilence(s.publisher.Sent(), answers, s.faults)
	s.t.Logf("%s: %d published, %d acknowledged, %v, worst silence %s", s.name, len(s.publisher.Sent()),
		tally.Commands, tally.Statuses, worst.Round(time.Millisecond))
	rig.Add(rig.Row{Fault: fault, Injected: len(s.faults), Tally: tally, Recovery: worst})
	return tally
}

// worstSilence is the longest time that a command went without its first result
// after it was sent or, if that was later, after the latest fault before that
// result: every lane has to recover, not only the quickest. Duplicates do not
// count: they wait for another command's end by design.
func worstSilence(sent []rig.Sent, answers []rig.Result, faults []time.Time) (worst time.Duration) {
	first := map[string]time.Time{}
	for _, r := range answers {
		if _, known := first[r.Data.Command.ID]; !known && !r.Data.Duplicate {
			first[r.Data.Command.ID] = r.Stored
		}
	}
	for _, s := range sent {
		at, ok := first[s.Command.Event.ID]
		if !ok || !s.Acknowledged || at.Before(faults[0]) {
			continue
		}
		since := s.At
		for _, f := range faults {
			if f.After(since) && f.Before(at) {
				since = f
			}
		}
		worst = max(worst, at.Sub(since))
	}
	return worst
}

// everyCallHasItsRecord checks that nothing was sent without the ledger: the
// record of every mutation that reached the clouds shows an attempt.
func (s *scene) everyCallHasItsRecord() {
	s.t.Helper()
	keys := map[string][]string{}
	for _, sent := range s.publisher.Sent() {
		keys[sent.Command.InstanceID] = append(keys[sent.Command.InstanceID], ledger.Key(sent.Command.Key))
	}
	bucket, err := rig.JetStream(s.t, s.broker).KeyValue(s.t.Context(), s.prefix+"_ledger")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, call := range s.clouds.Calls(emulator.Filter{Mutations: true}) {
		for _, instance := range call.Instances {
			if !slices.ContainsFunc(keys[instance], func(key string) bool { return attempted(s.t, bucket, key) }) {
				s.t.Errorf("%s of %s was sent and the ledger knows of no attempt", call.Action, instance)
			}
		}
	}
}

func attempted(t *testing.T, bucket jetstream.KeyValue, key string) bool {
	t.Helper()
	e, err := bucket.Get(t.Context(), key)
	return err == nil && strings.Contains(string(e.Value()), `"history"`)
}
