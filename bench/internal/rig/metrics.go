package rig

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Metrics are the series of /metrics as printed, labels included.
type Metrics map[string]float64

// Metrics reads /metrics.
func (c *Consumer) Metrics(ctx context.Context) (Metrics, error) {
	resp, err := c.get(ctx, "/metrics")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	m := Metrics{}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		line := lines.Text()
		i := strings.LastIndexByte(line, ' ')
		if i < 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if n, err := strconv.ParseFloat(line[i+1:], 64); err == nil {
			m[line[:i]] = n
		}
	}
	return m, lines.Err()
}

// Sum adds up the series of a name that hold every one of the words, such as
// action="FlushDBInstance".
func (m Metrics) Sum(name string, words ...string) float64 {
	var sum float64
next:
	for series, value := range m {
		if base, _, _ := strings.Cut(series, "{"); base != name {
			continue
		}
		for _, w := range words {
			if !strings.Contains(series, w) {
				continue next
			}
		}
		sum += value
	}
	return sum
}

// get asks within five seconds: the process may be frozen.
func (c *Consumer) get(ctx context.Context, path string) (*http.Response, error) {
	address, err := c.address()
	if err != nil {
		return nil, err
	}
	return get(ctx, "http://"+address+path)
}

func get(ctx context.Context, url string) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("rig: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("rig: %w", err)
	}
	resp.Body = &bounded{resp.Body, cancel}
	return resp, nil
}

// bounded is a body whose request's time ends with it.
type bounded struct {
	io.ReadCloser
	cancel context.CancelFunc
}

// Close closes the body and frees the request's timer.
func (b *bounded) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}
