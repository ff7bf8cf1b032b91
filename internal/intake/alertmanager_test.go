package intake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
)

const (
	routePath = "/v1/alertmanager/redis-hung"
	hungLane  = lanePrefix + "restart.urgent"
)

// hung is an alert that the route turns into a command.
func hung(instance string, startsAt time.Time) map[string]any {
	return map[string]any{
		"status": "firing", "startsAt": startsAt, "endsAt": time.Time{}, "generatorURL": "http://prometheus/graph",
		"fingerprint": "fp-" + instance, "annotations": map[string]string{"summary": "hangs"},
		"labels": map[string]string{"alertname": "RedisHung", "cloud": "volcengine", "account": "prod", "region": "cn-beijing", "instance_id": instance},
	}
}

// with changes a label, or takes it away.
func with(alert map[string]any, name, value string) map[string]any {
	labels := map[string]string{}
	for k, v := range alert["labels"].(map[string]string) {
		labels[k] = v
	}
	labels[name] = value
	if value == "" {
		delete(labels, name)
	}
	out := map[string]any{}
	for k, v := range alert {
		out[k] = v
	}
	out["labels"] = labels
	return out
}

// payload is a webhook with alerts, as Alertmanager sends it.
func payload(t *testing.T, truncated int, alerts ...map[string]any) string {
	t.Helper()
	raw, err := json.Marshal(map[string]any{
		"version": "4", "groupKey": "{}:{}", "truncatedAlerts": truncated, "status": "firing", "receiver": "sluice",
		"groupLabels": map[string]string{}, "commonLabels": map[string]string{}, "commonAnnotations": map[string]string{},
		"externalURL": "http://alertmanager:9093", "alerts": alerts,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// webhook posts as Alertmanager does.
func (r *rig) webhook(body string, headers ...string) answer {
	return r.post(routePath, body, append([]string{"Content-Type", "application/json", "Authorization", "Bearer " + alertsToken}, headers...)...)
}

var started = time.Now().Add(-time.Minute).Truncate(time.Millisecond)

func TestAlertBecomesCommand(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	a := r.webhook(payload(t, 0, hung("redis-1", started)))
	token := "am-" + events.TokenKey("redis-hung\nfp-redis-1\n"+started.UTC().Format(time.RFC3339Nano))
	if a.code != http.StatusAccepted || fmt.Sprint(a.stored) != fmt.Sprint([]stored{{token, "/intake/alerts", token}}) {
		t.Fatalf("%d %s", a.code, a.body)
	}
	_, env := r.first(hungLane)
	c, why := events.Parse(env, time.Now())
	if why != nil || c.Token != token || c.InstanceID != "redis-1" || env.Extensions["sluicepublisher"] != "alerts" {
		t.Errorf("%v %+v", why, c)
	}
	if since := time.Since(env.Time); since < 0 || since > patience {
		t.Errorf("the event's time is %s, not the webhook's", env.Time)
	}
}

// Repeats, retries and other Alertmanagers, in whatever zone they print times.
func TestOneFiringIsOneCommand(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for i := range 4 {
		zone := time.FixedZone("", i*3600)
		a := r.webhook(payload(t, 0, hung("redis-1", started.In(zone)), hung("redis-1", started)), "traceparent", fmt.Sprintf("00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333%d-01", i))
		if a.code != http.StatusAccepted || len(a.stored) != 1 {
			t.Fatalf("%d %s", a.code, a.body)
		}
	}
	if n := r.total(); n != 1 {
		t.Errorf("%d commands", n)
	}
	if a := r.webhook(payload(t, 0, hung("redis-1", started.Add(time.Millisecond)))); a.code != http.StatusAccepted || r.total() != 2 {
		t.Error("the next firing made no command of its own")
	}
}

// A storm of the same alerts, from many at once.
func TestStorm(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) { o.Limits = Limits{Rate: 1e6, Burst: 1e6} })
	body := payload(t, 0, hung("redis-1", started), hung("redis-2", started), hung("redis-3", started))
	codes := make(chan int)
	for range 20 {
		go func() {
			for range 50 {
				req, _ := http.NewRequest(http.MethodPost, r.url+routePath, strings.NewReader(body))
				req.Header.Set("Authorization", "Bearer "+alertsToken)
				req.Header.Set("Content-Type", "application/json")
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					codes <- 0
					continue
				}
				resp.Body.Close()
				codes <- resp.StatusCode
			}
		}()
	}
	for range 1000 {
		if code := <-codes; code != http.StatusAccepted {
			t.Fatalf("answered %d", code)
		}
	}
	if n := r.total(); n != 3 {
		t.Errorf("1,000 firings of three alerts made %d commands", n)
	}
	if n := r.counted("sluice_intake_alerts_total", "accepted", "redis-hung"); n != 3000 {
		t.Errorf("%v alerts counted", n)
	}
}

func TestSkippedAlerts(t *testing.T) {
	t.Parallel()
	for outcome, alert := range map[string]map[string]any{
		"resolved":  func() map[string]any { a := hung("redis-1", started); a["status"] = "resolved"; return a }(),
		"unmatched": with(hung("redis-1", started), "alertname", "RedisSlow"),
		"stale":     hung("redis-1", time.Now().Add(-2*time.Hour)),
	} {
		t.Run(outcome, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			a := r.webhook(payload(t, 0, alert))
			if a.code != http.StatusAccepted || a.body != "[]\n" || r.total() != 0 {
				t.Errorf("%d %s, %d stored", a.code, a.body, r.total())
			}
			if n := r.counted("sluice_intake_alerts_total", outcome, "redis-hung"); n != 1 {
				t.Errorf("counted %v times", n)
			}
			if warned := strings.Contains(r.log.String(), "level=WARN"); warned != (outcome == "stale") {
				t.Errorf("log: %s", r.log)
			}
		})
	}
}

// A bad alert is answered, counted and logged, and keeps no other from its command.
func TestBadAlerts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		alert         map[string]any
		code          int
		reason, label string
		outcome       string
	}{
		"label missing":   {with(hung("redis-2", started), "instance_id", ""), 422, "template_failed", "instance_id", "template"},
		"unknown region":  {with(hung("redis-2", started), "region", "cn-nowhere"), 422, "unknown_region", "", "refused"},
		"unknown vendor":  {with(hung("redis-2", started), "cloud", "aws"), 422, "unknown_vendor", "", "refused"},
		"invalid id":      {with(hung("redis-2", started), "instance_id", strings.Repeat("x", 200)), 422, "invalid_data", "", "refused"},
		"not its account": {with(hung("redis-2", started), "account", "other"), 403, "account_not_allowed", "", "forbidden"},
		"no fingerprint":  {func() map[string]any { a := hung("redis-2", started); a["fingerprint"] = ""; return a }(), 422, "invalid_event", "", "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			a := r.webhook(payload(t, 0, hung("redis-1", started), c.alert, hung("redis-3", started)))
			label, _ := a.prob["label"].(string)
			if a.code != c.code || a.prob["code"] != c.reason || label != c.label || a.prob["index"] != 1.0 {
				t.Errorf("%d %s", a.code, a.body)
			}
			if fp := c.alert["fingerprint"].(string); fp != "" && a.prob["fingerprint"] != fp {
				t.Errorf("fingerprint %v", a.prob["fingerprint"])
			}
			if n := r.total(); n != 2 {
				t.Errorf("%d of the good alerts are stored", n)
			}
			if n := r.counted("sluice_intake_alerts_total", c.outcome, "redis-hung"); n != 1 {
				t.Errorf("counted %v times", n)
			}
			if !strings.Contains(r.log.String(), "an alert became no command") {
				t.Error("not logged")
			}
		})
	}
}

func TestWebhooksThatAreNone(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	good := payload(t, 0, hung("redis-1", started))
	for name, c := range map[string]struct {
		path, body, kind, token string
		code                    int
	}{
		"nobody":          {routePath, good, "application/json", "x", 401},
		"another's route": {routePath, good, "application/json", batchToken, 403},
		"unknown route":   {"/v1/alertmanager/redis-slow", good, "application/json", alertsToken, 404},
		"version":         {routePath, strings.Replace(good, `"version":"4"`, `"version":"5"`, 1), "application/json", alertsToken, 400},
		"no JSON":         {routePath, "alerts", "application/json", alertsToken, 400},
		"text":            {routePath, good, "text/plain", alertsToken, 415},
		"too large":       {routePath, good + strings.Repeat(" ", MaxBody), "application/json", alertsToken, 413},
	} {
		if a := r.post(c.path, c.body, "Content-Type", c.kind, "Authorization", "Bearer "+c.token); a.code != c.code {
			t.Errorf("%s: %d %s", name, a.code, a.body)
		}
	}
	if n := r.total(); n != 0 {
		t.Errorf("%d commands are stored", n)
	}
}

func TestTruncatedAlerts(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	if a := r.webhook(payload(t, 7, hung("redis-1", started))); a.code != http.StatusAccepted || r.total() != 1 {
		t.Fatalf("%d %s", a.code, a.body)
	}
	if n := r.counted("sluice_intake_truncated_alerts_total", "redis-hung"); n != 7 {
		t.Errorf("counted %v", n)
	}
	if !strings.Contains(r.log.String(), "truncatedAlerts=7") {
		t.Errorf("log: %s", r.log)
	}
}

// With the broker away everything else waits: Alertmanager sends it all again.
func TestWebhookWhileTheBrokerIsAway(t *testing.T) {
	t.Parallel()
	away := true
	r := newRig(t, func(o *Options) { o.Broker = switchable{o.Broker, &away} })
	body := payload(t, 0, hung("redis-1", started), with(hung("redis-2", started), "region", "cn-nowhere"))
	if a := r.webhook(body); a.code != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", a.code, a.body)
	}
	away = false
	if a := r.webhook(body); a.code != http.StatusUnprocessableEntity || r.total() != 1 {
		t.Errorf("%d %s, %d stored", a.code, a.body, r.total())
	}
}

// A template of its own names the work; the event stays that of the firing.
func TestTokenTemplate(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) {
		o.Routes[0].ClientToken = func(a Alert) (string, error) { return " hung/" + a.Labels["instance_id"] + "\n", nil }
	})
	a := r.webhook(payload(t, 0, hung("redis-1", started)))
	if a.code != http.StatusAccepted || a.stored[0].ClientToken != "hung/redis-1" || !strings.HasPrefix(a.stored[0].ID, "am-") {
		t.Errorf("%d %s", a.code, a.body)
	}
}
