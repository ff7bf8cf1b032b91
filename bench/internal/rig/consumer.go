package rig

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Consumer is `consumer run` as a process.
type Consumer struct {
	*Process
	// Started is when the process was started.
	Started time.Time

	web string // host:port of /metrics, empty until it is known
}

// StartConsumer runs a consumer; it does not wait until it is ready. name is for
// its profiles.
func (r *Rig) StartConsumer(name string, c Config) (*Consumer, error) {
	dir, err := r.Scratch("consumer")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "sluice.yaml")
	if err := os.WriteFile(file, []byte(c.YAML()), 0o600); err != nil {
		return nil, fmt.Errorf("rig: start consumer: %w", err)
	}
	if _, err := r.Build("consumer"); err != nil {
		return nil, err // so that the time of the build is not that of the start
	}
	started := time.Now()
	p, err := r.Start("consumer", dir, r.profiles(name), "run", "--config", file)
	if err != nil {
		return nil, err
	}
	p.profiled = r.options.Profiles != ""
	return &Consumer{Process: p, Started: started}, nil
}

// profiles is the environment that makes a consumer built for it keep profiles.
func (r *Rig) profiles(name string) []string {
	if r.options.Profiles == "" {
		return nil
	}
	path := filepath.Join(r.options.Profiles, name)
	return []string{"SLUICE_CPUPROFILE=" + path + ".cpu", "SLUICE_MEMPROFILE=" + path + ".mem"}
}

// WaitReady returns when the consumer answers /readyz with 200.
func (c *Consumer) WaitReady(ctx context.Context, limit time.Duration) error {
	return Await(ctx, limit, 5*time.Millisecond, "a ready consumer", func() bool {
		status, err := c.status(ctx)
		return err == nil && status == http.StatusOK
	}, c.Process)
}

func (c *Consumer) status(ctx context.Context) (int, error) {
	resp, err := c.get(ctx, "/readyz")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	return resp.StatusCode, nil
}

// WaitLeases returns when the consumer owns so many accounts.
func (c *Consumer) WaitLeases(ctx context.Context, count int, limit time.Duration) error {
	return Await(ctx, limit, 20*time.Millisecond, fmt.Sprintf("the leases of %d accounts", count), func() bool {
		m, err := c.Metrics(ctx)
		return err == nil && int(m.Sum("sluice_lease_held")) >= count
	}, c.Process)
}

// address is where the consumer serves HTTP, once it has said so.
func (c *Consumer) address() (string, error) {
	if c.web == "" {
		c.web = c.logValue("msg=ready", " http")
	}
	if c.web == "" {
		return "", fmt.Errorf("rig: the consumer has not said yet where it serves /metrics")
	}
	return c.web, nil
}
