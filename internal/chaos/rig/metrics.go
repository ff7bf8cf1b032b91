package rig

import (
	"bufio"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Ready reports whether the process answers /readyz with 200.
func (c *Consumer) Ready() bool {
	resp, err := c.get("/readyz")
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// HTTP is host:port of the process's /metrics, empty until it has said it.
func (c *Consumer) HTTP() string {
	if known := c.http.Load(); known != nil {
		return *known
	}
	lines := c.LogLines("msg=ready", "http=")
	if len(lines) == 0 {
		return ""
	}
	address := attribute(lines[0], "http")
	c.http.Store(&address)
	return address
}

// Metrics reads /metrics; keys are the series as printed, labels included. It is
// nil while the process does not answer.
func (c *Consumer) Metrics() map[string]float64 {
	resp, err := c.get("/metrics")
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	out := map[string]float64{}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		series, value, ok := cutLast(lines.Text(), ' ')
		if n, err := strconv.ParseFloat(value, 64); ok && err == nil && !strings.HasPrefix(series, "#") {
			out[series] = n
		}
	}
	return out
}

// Holds lists the accounts that the process owns, as "vendor/account".
func (c *Consumer) Holds() []string {
	var out []string
	for series, value := range c.Metrics() {
		labels, ok := strings.CutPrefix(series, "sluice_lease_held{")
		if ok && value == 1 {
			out = append(out, label(labels, "vendor")+"/"+label(labels, "account"))
		}
	}
	return out
}

// label reads one label of `a="b",c="d"}`.
func label(labels, name string) string {
	_, rest, _ := strings.Cut(labels, name+`="`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

func cutLast(s string, sep byte) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// get asks within a second: the process may be frozen.
func (c *Consumer) get(path string) (*http.Response, error) {
	address := c.HTTP()
	if address == "" {
		return nil, http.ErrServerClosed
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		cancel()
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		cancel()
		return nil, err
	}
	resp.Body = &bounded{resp.Body, cancel}
	return resp, nil
}
