package events

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/binding/format"
	"github.com/cloudevents/sdk-go/v2/binding/spec"
	"github.com/cloudevents/sdk-go/v2/event"
)

// The corpus holds one command as different publishers write it: header lines, an
// empty line, the payload. The files that begin with sdk- are the CloudEvents SDK
// for Go's; -update writes them anew.
var update = flag.Bool("update", false, "write the SDK's part of testdata/corpus")

const corpusData = `{"clientToken":"t-1","vendor":"tencent-crs","account":"tc","region":"gz","instanceId":"crs 1","priority":"bulk",` +
	`"parameters":{"password":{"secretRef":"crs-1"}}}`

// corpusEvent is the command that every file of the corpus holds.
func corpusEvent(t *testing.T) event.Event {
	t.Helper()
	e := event.New()
	e.SetID("e-1 €")
	e.SetSource("/alerts/redis?x=1")
	e.SetType(CommandType(Flush))
	e.SetSubject("crs 1")
	e.SetTime(time.Date(2026, 3, 4, 5, 6, 6, 700000000, time.UTC))
	e.SetExtension("expirytime", time.Date(2026, 3, 4, 6, 6, 6, 0, time.UTC))
	e.SetExtension("correlationid", "100% sure")
	e.SetExtension("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if err := e.SetData(event.ApplicationJSON, json.RawMessage(corpusData)); err != nil {
		t.Fatal(err)
	}
	if err := e.Validate(); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestCorpusIsTheSDKs(t *testing.T) {
	t.Parallel()
	e := corpusEvent(t)
	structured, err := format.JSON.Marshal(&e)
	if err != nil {
		t.Fatal(err)
	}
	batch, err := json.Marshal([]event.Event{e})
	if err != nil {
		t.Fatal(err)
	}
	raw := e.Clone()
	if err := raw.SetData(event.ApplicationJSON, []byte(corpusData)); err != nil {
		t.Fatal(err)
	}
	base64, err := format.JSON.Marshal(&raw)
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]wire{
		"sdk-structured":       {headers{"Content-Type": {format.JSON.MediaType()}}, structured},
		"sdk-structured-nats":  {nil, structured}, // the published NATS binding sends no header
		"sdk-base64":           {headers{"Content-Type": {format.JSON.MediaType()}}, base64},
		"sdk-batch":            {headers{"Content-Type": {format.JSONBatch.MediaType()}}, batch},
		"sdk-binary-nats":      natsBinary(t, e),
		"sdk-binary-canonical": canonical(natsBinary(t, e)),
	} {
		path := filepath.Join("testdata", "corpus", name+".msg")
		if *update {
			if err := os.WriteFile(path, m.bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		stored, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(stored, m.bytes()) {
			t.Errorf("%s: the SDK now writes\n%s\nstored is\n%s", name, m.bytes(), stored)
		}
	}
}

// wire is a message as the corpus stores it.
type wire struct {
	header headers
	data   []byte
}

func (m wire) bytes() []byte {
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(m.header)) {
		for _, value := range m.header[name] {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	b.WriteString("\n")
	b.Write(m.data)
	return b.Bytes()
}

func readWire(t testing.TB, path string) wire {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if data, ok := bytes.CutPrefix(raw, []byte("\n")); ok {
		return wire{nil, data}
	}
	head, data, _ := strings.Cut(string(raw), "\n\n")
	m := wire{headers{}, []byte(data)}
	for line := range strings.Lines(head) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		m.header[name] = append(m.header[name], value)
	}
	return m
}

// natsBinary is binary mode as the SDK's NATS bindings write it: the values as
// they are, the content type under its own attribute.
func natsBinary(t *testing.T, e event.Event) wire {
	t.Helper()
	w := natsWriter{headers{}, nil}
	if _, err := binding.Write(binding.WithForceBinary(context.Background()), binding.ToMessage(&e), nil, &w); err != nil {
		t.Fatal(err)
	}
	return wire(w)
}

type natsWriter wire

func (w *natsWriter) Start(context.Context) error { return nil }
func (w *natsWriter) End(context.Context) error   { return nil }

func (w *natsWriter) SetAttribute(a spec.Attribute, value any) error {
	if at, ok := value.(time.Time); ok {
		value = at.Format(time.RFC3339Nano)
	}
	return w.SetExtension(a.Name(), value)
}

func (w *natsWriter) SetExtension(name string, value any) error {
	w.header["ce-"+name] = []string{fmt.Sprint(value)}
	return nil
}

func (w *natsWriter) SetData(data io.Reader) (err error) {
	w.data, err = io.ReadAll(data)
	return err
}

// canonical is the same with headers in the case of package http, whose type
// many publishers use for them.
func canonical(m wire) wire {
	header := http.Header{}
	for name, values := range m.header {
		header.Set(name, values[0])
	}
	return wire{headers(header), m.data}
}

func TestCorpusIsRead(t *testing.T) {
	t.Parallel()
	const id, source = "e-1 €", "/alerts/redis?x=1"
	want := Command{
		Event: Ref{ID: id, Source: source, Type: CommandType(Flush), Time: time.Date(2026, 3, 4, 5, 6, 6, 700000000, time.UTC)},
		Token: "t-1", Key: TokenKey("t-1"), Vendor: "tencent-crs", Account: "tc", Region: "gz", Operation: Flush, InstanceID: "crs 1", Priority: Bulk,
		Parameters: Parameters{Password: &Password{SecretRef: "crs-1"}}, ExpiryTime: time.Date(2026, 3, 4, 6, 6, 6, 0, time.UTC), Received: received,
		Trace: Trace{Parent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Correlation: "100% sure"},
	}
	files, err := filepath.Glob("testdata/corpus/*.msg")
	if err != nil || len(files) < 9 {
		t.Fatalf("the corpus has %d files, %v", len(files), err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".msg"), func(t *testing.T) {
			t.Parallel()
			m := readWire(t, path)
			env, err := Open(m.header, m.data)
			if items, batch := OpenBatch(m.header, m.data); batch {
				if err == nil || len(items) != 1 || items[0].Err != nil {
					t.Fatalf("Open: %v; OpenBatch: %+v", err, items)
				}
				env, err = items[0].Envelope, nil
			}
			if err != nil {
				t.Fatal(err)
			}
			got, why := Parse(env, received)
			if why != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%+v, %v\nwant %+v", got, why, want)
			}
		})
	}
}
