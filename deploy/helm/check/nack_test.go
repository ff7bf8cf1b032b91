package check

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-7b870224/sluice/internal/broker"
)

// Streams and buckets that NACK makes from the chart's resources are those that the
// program makes, and the program finds nothing wrong with them and changes nothing but
// the batches of the ledger, for which a KeyValue has no field.
func TestNACKMakesWhatTheProgramMakes(t *testing.T) {
	o := rendered(t, "nack")
	options := broker.Options{
		Prefix: "ops", Replicas: 1, LedgerRetention: 72 * time.Hour, LeaseTTL: 10 * time.Second,
		Accounts: []broker.AccountSubject{{Vendor: "volcengine", Account: "prod"}, {Vendor: "tencent-crs", Account: "tc"}},
	}
	byProgram := startJetStream(t)
	byProgram.setUp(t, options)
	byNACK := startJetStream(t)
	byNACK.apply(t, o)
	made := byNACK.configs(t)
	if found := byNACK.setUp(t, options); len(found) > 0 {
		t.Errorf("the program complains: %v", found)
	}
	after, want := byNACK.configs(t), byProgram.configs(t)
	if len(want) != 5 {
		t.Fatalf("the program makes %d streams", len(want))
	}
	for name := range want {
		if !reflect.DeepEqual(after[name], want[name]) {
			t.Errorf("%s is\n%s\nnot\n%s", name, asJSON(t, after[name]), asJSON(t, want[name]))
		}
		before := made[name]
		if name == "KV_ops_ledger" {
			before.AllowAtomicPublish = true
		}
		if !reflect.DeepEqual(before, after[name]) {
			t.Errorf("the program changed %s from\n%s\nto\n%s", name, asJSON(t, before), asJSON(t, after[name]))
		}
	}
	for name, b := range o.buckets {
		if !b.Spec.PreventUpdate || !b.Spec.PreventDelete {
			t.Errorf("%s: NACK would undo what the program changed, or delete it", name)
		}
	}
	for name, s := range o.streams {
		if !s.Spec.PreventDelete {
			t.Errorf("%s is deleted with the release", name)
		}
	}
}

// jetStream is a server with a connection.
type jetStream struct {
	server *broker.Server
	js     jetstream.JetStream
}

func startJetStream(t *testing.T) *jetStream {
	t.Helper()
	s, err := broker.StartServer(broker.ServerOptions{Temporary: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	nc, err := nats.Connect("", nats.InProcessServer(s.InProcess()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return &jetStream{s, js}
}

// setUp does what the program does when it starts.
func (j *jetStream) setUp(t *testing.T, o broker.Options) []broker.Finding {
	t.Helper()
	o.Server = j.server
	c, err := broker.Connect(bounded(t), o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	found, err := c.Setup(bounded(t))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// apply makes what NACK makes: streams field by field, and key-value buckets through
// the client library (internal/controller/stream_controller.go, streamSpecToConfig, and
// keyvalue_controller.go, keyValueSpecToConfig, at the commit of the types).
func (j *jetStream) apply(t *testing.T, o *objects) {
	t.Helper()
	for _, s := range o.streams {
		if _, err := j.js.CreateStream(bounded(t), streamConfig(t, s.Spec)); err != nil {
			t.Errorf("%s: %v", s.Spec.Name, err)
		}
	}
	for _, b := range o.buckets {
		ttl, err := time.ParseDuration(b.Spec.TTL)
		if err != nil {
			t.Fatal(err)
		}
		conf := jetstream.KeyValueConfig{
			Bucket: b.Spec.Bucket, History: uint8(b.Spec.History), TTL: ttl, Replicas: b.Spec.Replicas, Description: b.Spec.Description,
			MaxBytes: int64(b.Spec.MaxBytes), MaxValueSize: int32(b.Spec.MaxValueSize), Storage: storage(t, b.Spec.Storage),
		}
		if _, err := j.js.CreateKeyValue(bounded(t), conf); err != nil {
			t.Errorf("%s: %v", b.Spec.Bucket, err)
		}
	}
}

func streamConfig(t *testing.T, s natsStreamSpec) jetstream.StreamConfig {
	t.Helper()
	conf := jetstream.StreamConfig{
		Name: s.Name, Description: s.Description, Subjects: s.Subjects, Replicas: s.Replicas,
		MaxConsumers: orUnlimited(s.MaxConsumers), MaxMsgs: int64(orUnlimited(s.MaxMsgs)), MaxBytes: int64(orUnlimited(s.MaxBytes)),
		MaxMsgSize: int32(orUnlimited(s.MaxMsgSize)), MaxAge: s.MaxAge.Duration, Storage: storage(t, s.Storage),
		Duplicates: s.DuplicateWindow.Duration, DenyDelete: s.DenyDelete, AllowDirect: s.AllowDirect, AllowRollup: s.AllowRollup,
		AllowAtomicPublish: s.AllowAtomicPublish,
	}
	read(t, s.Retention, &conf.Retention)
	read(t, s.Discard, &conf.Discard)
	return conf
}

// orUnlimited is the default of the resource definition.
func orUnlimited(n *int) int {
	if n == nil {
		return -1
	}
	return *n
}

func storage(t *testing.T, text string) (s jetstream.StorageType) {
	t.Helper()
	read(t, text, &s)
	return s
}

// read reads one of NATS's named settings.
func read(t *testing.T, text string, into json.Unmarshaler) {
	t.Helper()
	if err := into.UnmarshalJSON([]byte(`"` + text + `"`)); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
}

// configs are all streams by name. Descriptions differ, and what the server adds does
// not matter.
func (j *jetStream) configs(t *testing.T) map[string]jetstream.StreamConfig {
	t.Helper()
	configs := map[string]jetstream.StreamConfig{}
	list := j.js.ListStreams(bounded(t))
	for info := range list.Info() {
		c := info.Config
		c.Description, c.Metadata = "", nil
		slices.Sort(c.Subjects)
		configs[c.Name] = c
	}
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return configs
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
