package intake

import (
	"io"
	"net/http"
	"testing"
	"time"
)

// A publisher over its rate is told when to come again, and keeps no other out.
func TestRate(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) { o.Limits = Limits{Rate: 0.1, Burst: 2, Wait: 50 * time.Millisecond} })
	for i, want := range []int{202, 202, 429} {
		a := r.post("/v1/commands", structured("a", "restart", restartData), "Content-Type", structuredType)
		if a.code != want {
			t.Fatalf("request %d: %d %s", i, a.code, a.body)
		}
		if want == 429 && a.header.Get("Retry-After") == "" {
			t.Error("429 without Retry-After")
		}
	}
	// Alertmanager takes 429 for final, and 503 not.
	for i, want := range []int{202, 202, 503} {
		if a := r.webhook(payload(t, 0, hung("redis-1", started))); a.code != want {
			t.Fatalf("webhook %d: %d %s", i, a.code, a.body)
		}
	}
}

// A short wait for a turn is no refusal.
func TestRateSmoothes(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) { o.Limits = Limits{Rate: 50, Burst: 1} })
	for range 5 {
		if a := r.post("/v1/commands", structured("a", "restart", restartData), "Content-Type", structuredType); a.code != http.StatusAccepted {
			t.Fatalf("%d %s", a.code, a.body)
		}
	}
}

// Requests that do not end take up the publisher's places, and nobody else's.
func TestPlaces(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) { o.Limits = Limits{Together: 1, Wait: 50 * time.Millisecond} })
	body, write := io.Pipe()
	req, err := http.NewRequestWithContext(testContext(t), http.MethodPost, r.url+"/v1/commands", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+batchToken)
	req.Header.Set("Content-Type", structuredType)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
		}
	}()
	if _, err := write.Write([]byte("{")); err != nil {
		t.Fatal(err)
	}
	for len(r.handler.clients[1].places) == 0 {
		time.Sleep(time.Millisecond)
	}
	if a := r.post("/v1/commands", structured("a", "restart", restartData), "Content-Type", structuredType); a.code != http.StatusTooManyRequests {
		t.Errorf("%d %s", a.code, a.body)
	}
	if a := r.webhook(payload(t, 0, hung("redis-1", started))); a.code != http.StatusAccepted {
		t.Errorf("another publisher: %d %s", a.code, a.body)
	}
	write.Close()
	<-ended
}
