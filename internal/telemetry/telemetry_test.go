package telemetry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestProbesAndMetrics(t *testing.T) {
	t.Parallel()
	notReady := errors.New("broker not connected")
	s := httptest.NewServer(Handler(NewRegistry("v1"), func(context.Context) error { return notReady }))
	defer s.Close()
	if code, body := get(t, s.URL+"/livez"); code != http.StatusOK || body != "ok\n" {
		t.Errorf("livez: %d %q", code, body)
	}
	if code, body := get(t, s.URL+"/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, "broker not connected") {
		t.Errorf("readyz while not ready: %d %q", code, body)
	}
	notReady = nil
	if code, _ := get(t, s.URL+"/readyz"); code != http.StatusOK {
		t.Errorf("readyz while ready: %d", code)
	}
	if code, body := get(t, s.URL+"/metrics"); code != http.StatusOK || !strings.Contains(body, `sluice_build_info{goversion=`) {
		t.Errorf("metrics: %d %q", code, body)
	}
}

func TestListenSaysWhatToDo(t *testing.T) {
	t.Parallel()
	first, err := Listen("127.0.0.1:0", NewRegistry("v1"), func(context.Context) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	_, err = Listen(first.Addr(), NewRegistry("v1"), nil)
	if err == nil || !strings.Contains(err.Error(), "http.listen") {
		t.Errorf("a taken address: %v", err)
	}
}

func TestLoggerRefusesNonsense(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		level, format string
		ok            bool
	}{{"info", "text", true}, {"debug", "json", true}, {"loud", "text", false}, {"info", "xml", false}} {
		if _, err := NewLogger(io.Discard, c.level, c.format); (err == nil) != c.ok {
			t.Errorf("%s %s: %v", c.level, c.format, err)
		}
	}
}
