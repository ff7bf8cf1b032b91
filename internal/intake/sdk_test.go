package intake

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"

	"github.com/seed-7b870224/sluice/internal/events"
)

// sdkEvent is a command as a user of the CloudEvents SDK makes it.
func sdkEvent(t *testing.T, id string) cloudevents.Event {
	t.Helper()
	e := cloudevents.NewEvent()
	e.SetID(id)
	e.SetSource("https://example.com/fleet")
	e.SetType("dev.sluice.command.restart.v1")
	e.SetSubject("redis-" + id)
	e.SetExtension("correlationid", "wave 7")
	if err := e.SetData(cloudevents.ApplicationJSON, map[string]string{
		"vendor": "volcengine", "account": "prod", "region": "cn-beijing", "instanceId": "redis-" + id, "clientToken": "token-" + id,
	}); err != nil {
		t.Fatal(err)
	}
	return e
}

// The client of the CloudEvents SDK sends all three modes.
func TestSDKClient(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client, err := cloudevents.NewClientHTTP(cloudevents.WithTarget(r.url+"/v1/commands"), cehttp.WithRoundTripper(transport), cehttp.WithHeader("Authorization", "Bearer "+batchToken))
	if err != nil {
		t.Fatal(err)
	}
	for id, mode := range map[string]func(context.Context) context.Context{"binary": binding.WithForceBinary, "structured": binding.WithForceStructured} {
		result := client.Send(mode(testContext(t)), sdkEvent(t, id))
		var answer *cehttp.Result
		if !cloudevents.ResultAs(result, &answer) || answer.StatusCode != http.StatusAccepted {
			t.Errorf("%s: %v", id, result)
		}
	}
	req, err := cehttp.NewHTTPRequestFromEvents(testContext(t), r.url+"/v1/commands", []cloudevents.Event{sdkEvent(t, "b1"), sdkEvent(t, "b2")})
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+batchToken)
	a := r.read((&http.Client{Transport: transport}).Do(req))
	if a.code != http.StatusAccepted || fmt.Sprint(a.stored) != "[{b1 /intake/batch token-b1} {b2 /intake/batch token-b2}]" {
		t.Errorf("batch: %d %s", a.code, a.body)
	}
	if n := r.total(); n != 4 {
		t.Errorf("%d commands stored", n)
	}
	_, env := r.first(lanePrefix + "restart.normal")
	if c, why := events.Parse(env, env.Time); why != nil || c.Trace.Correlation != "wave 7" || c.InstanceID != env.Subject {
		t.Errorf("%v %+v", why, c)
	}
}
