package broker

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
)

func streamConfig(t *testing.T, c *Conn, name string) jetstream.StreamConfig {
	t.Helper()
	s, err := c.js.Stream(testContext(t), name)
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo().Config
}

func TestSetupCreatesTheContract(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	if err := c.Present(testContext(t)); err != nil {
		t.Fatal(err)
	}
	commands := streamConfig(t, c, "SLUICE_COMMANDS")
	if commands.Retention != jetstream.WorkQueuePolicy || commands.Storage != jetstream.FileStorage ||
		commands.Discard != jetstream.DiscardNew || commands.Duplicates != 2*time.Minute || !commands.AllowDirect ||
		!sameSet(commands.Subjects, []string{"sluice.intake", "sluice.commands.volcengine.prod.*.*.*"}) {
		t.Errorf("commands: %+v", commands)
	}
	for name, subject := range map[string]string{"SLUICE_RESULTS": "sluice.results.>", "SLUICE_DEADLETTERS": "sluice.deadletters.>"} {
		if s := streamConfig(t, c, name); s.MaxAge != 30*24*time.Hour || s.Retention != jetstream.LimitsPolicy || s.Subjects[0] != subject {
			t.Errorf("%s: %+v", name, s)
		}
	}
	for name, ttl := range map[string]time.Duration{"KV_sluice_ledger": 7 * 24 * time.Hour, "KV_sluice_leases": time.Minute} {
		if s := streamConfig(t, c, name); s.MaxAge != ttl || s.MaxMsgsPerSubject != 1 || s.Storage != jetstream.FileStorage {
			t.Errorf("%s: %+v", name, s)
		}
	}
	mustSetup(t, c) // once more changes nothing and finds nothing
}

func TestSetupAdjustsAndReports(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	testLane(t, c, time.Minute)
	send(t, c, 3)
	o := c.opts
	o.Accounts = []AccountSubject{{"huawei", "hw"}}
	o.LeaseTTL, o.LedgerRetention = 10*time.Second, time.Hour
	o.Replicas = 3
	changed := testConnect(t, o)
	found, err := changed.Setup(testContext(t))
	if err != nil || refuses(found) {
		t.Fatalf("findings %v, error %v", found, err)
	}
	wants := []string{"3 command(s) wait under sluice.commands.volcengine.prod.*.*.*", "SLUICE_COMMANDS has 1 replica(s), not the configured 3"}
	for _, want := range wants {
		if !mentions(found, want) {
			t.Errorf("findings %v do not say %q", found, want)
		}
	}
	if s := streamConfig(t, c, "SLUICE_COMMANDS"); !sameSet(s.Subjects, []string{"sluice.intake", "sluice.commands.huawei.hw.*.*.*"}) {
		t.Errorf("subjects %v", s.Subjects)
	}
	if s := streamConfig(t, c, "KV_sluice_leases"); s.MaxAge != 10*time.Second {
		t.Errorf("leases live %s", s.MaxAge)
	}
	if s := streamConfig(t, c, "KV_sluice_ledger"); s.MaxAge != time.Hour {
		t.Errorf("the ledger keeps %s", s.MaxAge)
	}
}

func mentions(found []Finding, text string) bool {
	for _, f := range found {
		if strings.Contains(f.String(), text) {
			return true
		}
	}
	return false
}

func TestSetupWithoutACluster(t *testing.T) {
	t.Parallel()
	o := testOptions(testServer(t, ServerOptions{}))
	o.Replicas = 3
	c := testConnect(t, o)
	found, err := c.Setup(testContext(t))
	if err != nil || len(found) != 5 || refuses(found) || !mentions(found, "no cluster") {
		t.Errorf("findings %v, error %v; want a warning for each stream", found, err)
	}
}

func TestSetupRefusesAForeignStream(t *testing.T) {
	t.Parallel()
	c := testConnect(t, testOptions(testServer(t, ServerOptions{})))
	streams := []jetstream.StreamConfig{
		{Name: "SLUICE_COMMANDS", Subjects: []string{"sluice.intake"}, Storage: jetstream.MemoryStorage},
		{Name: "OTHER", Subjects: []string{"sluice.results.>"}},
	}
	for _, s := range streams {
		if _, err := c.js.CreateStream(testContext(t), s); err != nil {
			t.Fatal(err)
		}
	}
	found, err := c.Setup(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"refuse: stream SLUICE_COMMANDS has retention Limits", "refuse: stream SLUICE_COMMANDS is kept in memory", "cannot create stream SLUICE_RESULTS: subjects overlap"} {
		if !mentions(found, want) {
			t.Errorf("findings %v do not say %q", found, want)
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	c := &Conn{opts: Options{}.withDefaults(), names: namesOf("sluice")}
	want := c.streamConfigs(0)
	commands, results, ledger := want[0], want[1], want[3]
	tests := []struct {
		name     string
		want     jetstream.StreamConfig
		alter    func(*jetstream.StreamConfig)
		change   bool
		severity Severity // empty: nothing found
	}{
		{"equal", commands, func(*jetstream.StreamConfig) {}, false, ""},
		{"subjects", commands, func(s *jetstream.StreamConfig) { s.Subjects = []string{"x"} }, true, ""},
		{"short duplicate window", results, func(s *jetstream.StreamConfig) { s.Duplicates = time.Second }, true, ""},
		{"no limit of consumers, which means a thousand", commands, func(s *jetstream.StreamConfig) { s.MaxConsumers = -1 }, true, ""},
		{"drops old", commands, func(s *jetstream.StreamConfig) { s.Discard = jetstream.DiscardOld }, true, ""},
		{"no direct reads", ledger, func(s *jetstream.StreamConfig) { s.AllowDirect = false }, true, ""},
		{"retention time", ledger, func(s *jetstream.StreamConfig) { s.MaxAge = time.Hour }, true, ""},
		{"answers kept shorter", results, func(s *jetstream.StreamConfig) { s.MaxAge = time.Hour }, false, ""},
		{"limit in bytes", commands, func(s *jetstream.StreamConfig) { s.MaxBytes = 1 << 30 }, false, ""},
		{"more replicas", commands, func(s *jetstream.StreamConfig) { s.Replicas = 3 }, false, ""},
		{"wrong retention", commands, func(s *jetstream.StreamConfig) { s.Retention = jetstream.LimitsPolicy }, false, Refuse},
		{"commands in memory", commands, func(s *jetstream.StreamConfig) { s.Storage = jetstream.MemoryStorage }, false, Refuse},
		{"ledger in memory", ledger, func(s *jetstream.StreamConfig) { s.Storage = jetstream.MemoryStorage }, false, Refuse},
		{"results in memory", results, func(s *jetstream.StreamConfig) { s.Storage = jetstream.MemoryStorage }, false, Warn},
		{"ledger written later", ledger, func(s *jetstream.StreamConfig) { s.PersistMode = jetstream.AsyncPersistMode }, false, Refuse},
		{"results written later", results, func(s *jetstream.StreamConfig) { s.PersistMode = jetstream.AsyncPersistMode }, false, Warn},
		{"commands age", commands, func(s *jetstream.StreamConfig) { s.MaxAge = time.Hour }, false, Warn},
		{"commands per lane", commands, func(s *jetstream.StreamConfig) { s.MaxMsgsPerSubject = 5 }, false, Refuse},
		{"no acknowledgements", results, func(s *jetstream.StreamConfig) { s.NoAck = true }, false, Refuse},
		{"sealed", results, func(s *jetstream.StreamConfig) { s.Sealed = true }, false, Refuse},
		{"mirror", results, func(s *jetstream.StreamConfig) { s.Mirror = &jetstream.StreamSource{Name: "x"} }, false, Refuse},
	}
	for _, tt := range tests {
		have := tt.want
		tt.alter(&have)
		update, change, found := compare(tt.want, have)
		if change != tt.change {
			t.Errorf("%s: change %v", tt.name, change)
		}
		if _, again, _ := compare(tt.want, update); again {
			t.Errorf("%s: the update needs another update", tt.name)
		}
		if len(found) == 0 && tt.severity != "" || len(found) > 1 || len(found) == 1 && found[0].Severity != tt.severity {
			t.Errorf("%s: findings %v, want %q", tt.name, found, tt.severity)
		}
		for _, f := range found {
			if f.What == "" || f.WayOut == "" {
				t.Errorf("%s: half a finding: %+v", tt.name, f)
			}
		}
	}
}

func TestTooOld(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]bool{
		"2.9.25": true, "1.4.1": true, "2.10.0": false, "v2.12.3-beta.1": false, "3.0.0": false, "unknown": false,
	} {
		if got := tooOld(version); got != want {
			t.Errorf("%s: too old %v", version, got)
		}
	}
}

func TestAccountLimitOfStreams(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int]bool{-1: false, 0: false, 4: true, 5: false} {
		info := &jetstream.AccountInfo{}
		info.Limits.MaxStreams = limit
		if got := refuses(accountFindings(info, 5)); got != want {
			t.Errorf("limit %d: refused %v", limit, got)
		}
	}
}

func TestMaxConsumers(t *testing.T) {
	t.Parallel()
	tier := func(n int) jetstream.Tier { return jetstream.Tier{Limits: jetstream.AccountLimits{MaxConsumers: n}} }
	tests := []struct {
		info jetstream.AccountInfo
		want int
	}{
		{jetstream.AccountInfo{Tier: tier(-1)}, 0},
		{jetstream.AccountInfo{Tier: tier(50)}, 50},
		{jetstream.AccountInfo{Tiers: map[string]jetstream.Tier{"R1": tier(-1), "R3": tier(70)}}, 70},
	}
	for _, tt := range tests {
		if got := maxConsumers(&tt.info); got != tt.want {
			t.Errorf("%+v: %d, want %d", tt.info, got, tt.want)
		}
	}
}

// The server's default limit is lower than what a large fleet has lanes.
func TestMoreLanesThanTheServersDefault(t *testing.T) {
	t.Parallel()
	o := &server.Options{JetStream: true}
	o.JetStreamLimits.DefaultMaxConsumers = 1
	c := testConnect(t, Options{URL: external(t, o), Accounts: []AccountSubject{{"volcengine", "prod"}}})
	mustSetup(t, c)
	testLane(t, c, time.Minute)
	if _, err := c.IntakeQueue(testContext(t)); err != nil {
		t.Error(err)
	}
}

// external runs a server as somebody else would, with users and limits of its own.
func external(t *testing.T, o *server.Options) string {
	t.Helper()
	o.Host, o.Port, o.NoSigs, o.NoLog, o.StoreDir = "127.0.0.1", server.RANDOM_PORT, true, true, t.TempDir()
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { stopServer(s) })
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server is not ready")
	}
	return s.ClientURL()
}

func TestSetupWithoutJetStream(t *testing.T) {
	t.Parallel()
	c := testConnect(t, Options{URL: external(t, &server.Options{})})
	found, err := c.Setup(testContext(t))
	if err != nil || !refuses(found) || !mentions(found, "no JetStream") {
		t.Errorf("findings %v, error %v", found, err)
	}
}

func TestSetupWithoutPermission(t *testing.T) {
	t.Parallel()
	for _, denied := range []string{"$JS.API.INFO", "$JS.API.STREAM.CREATE.>"} {
		permissions := &server.Permissions{Publish: &server.SubjectPermission{Deny: []string{denied}}}
		url := external(t, &server.Options{JetStream: true, Users: []*server.User{{Username: "u", Password: "p", Permissions: permissions}}})
		c := testConnect(t, Options{URL: strings.Replace(url, "nats://", "nats://u:p@", 1)})
		found, err := c.Setup(testContext(t))
		if err != nil || !refuses(found) || !mentions(found, "permission missing") || !mentions(found, strings.TrimSuffix(denied, ">")) {
			t.Errorf("%s: findings %v, error %v", denied, found, err)
		}
	}
}
