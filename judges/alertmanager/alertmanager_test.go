package alertmanager

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/freeport"
)

// manager is an Alertmanager as a process, configured as docs/feeding.md says but in
// more of a hurry.
type manager struct {
	t            *testing.T
	url, cluster string
}

// alertmanager starts one; peers make it part of a cluster.
func (s *site) alertmanager(clustered bool, peers ...*manager) *manager {
	s.t.Helper()
	web := freeport.Address(s.t)
	m := &manager{t: s.t, url: "http://" + web}
	dir := s.t.TempDir()
	config := filepath.Join(dir, "alertmanager.yml")
	s.write(config, replace(s.t, example(s.t, "alertmanager.yml"),
		"http://sluice:8081", "http://"+s.intake, "/etc/alertmanager/sluice-token", s.token,
		"group_wait: 10s", "group_wait: 100ms", "group_interval: 1m", "group_interval: 1s", "repeat_interval: 1h", "repeat_interval: 1s"))
	args := []string{"--config.file", config, "--storage.path", filepath.Join(dir, "data"), "--web.listen-address", web, "--log.level", "debug"}
	if clustered {
		m.cluster = freeport.Address(s.t)
		args = append(args, "--cluster.listen-address", m.cluster, "--cluster.advertise-address", m.cluster,
			"--cluster.peer-timeout", "2s", "--cluster.settle-timeout", "5s", "--cluster.gossip-interval", "50ms")
		for _, peer := range peers {
			args = append(args, "--cluster.peer", peer.cluster)
		}
	} else {
		args = append(args, "--cluster.listen-address", "")
	}
	start(s.t, "alertmanager", args...)
	eventually(s.t, "Alertmanager", func() bool { return get(m.url+"/-/ready") != "" })
	return m
}

// fire posts alerts to Alertmanager as Prometheus does.
func (m *manager) fire(startsAt time.Time, instances ...string) {
	m.t.Helper()
	var alerts []any
	for _, instance := range instances {
		alerts = append(alerts, map[string]any{"startsAt": startsAt, "labels": map[string]string{
			"alertname": "RedisHung", "cloud": "volcengine", "account": "prod", "region": "cn-beijing", "instance_id": instance,
		}})
	}
	body, err := json.Marshal(alerts)
	if err != nil {
		m.t.Fatal(err)
	}
	resp, err := http.Post(m.url+"/api/v2/alerts", "application/json", bytes.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		m.t.Fatalf("Alertmanager answers %s", resp.Status)
	}
}

// metric is a number of Alertmanager's own.
func (m *manager) metric(series string) float64 { return metric(get(m.url+"/metrics"), series) }

// A storm: a thousand firings of three alerts, which Alertmanager repeats all the time,
// are one command each.
func TestStorm(t *testing.T) {
	s := newSite(t)
	m := s.alertmanager(false)
	began := time.Now()
	instances := []string{"redis-a", "redis-b", "redis-c"}
	for range 1000 {
		m.fire(began, instances...)
	}
	s.once(instances...)
	eventually(t, "three repeats", func() bool { return s.accepted() >= 12 })
	s.once(instances...)
	// The next firing is work of its own.
	m.fire(began.Add(time.Second), "redis-d")
	s.once(append(instances, "redis-d")...)
}

// Killed, the intake misses what Alertmanager sends; back again it gets it.
func TestIntakeKilledWhileAlertmanagerRetries(t *testing.T) {
	s := newSite(t)
	m := s.alertmanager(false)
	m.fire(time.Now(), "redis-a")
	s.once("redis-a")
	s.consumer.kill()
	m.fire(time.Now(), "redis-b")
	failed := `alertmanager_notification_requests_failed_total{integration="webhook"}`
	before := m.metric(failed)
	eventually(t, "retries", func() bool { return m.metric(failed) >= before+3 })
	s.run()
	s.once("redis-a", "redis-b")
	eventually(t, "a repeat to the intake that is back", func() bool { return s.accepted() >= 4 })
	s.once("redis-a", "redis-b")
}

// Two Alertmanagers of one cluster get the same alert, and so do two that know nothing
// of each other, as after a split: in both cases both may send it, and it is one
// command.
func TestTwoAlertmanagers(t *testing.T) {
	for _, clustered := range []bool{true, false} {
		t.Run(fmt.Sprintf("clustered %v", clustered), func(t *testing.T) {
			s := newSite(t)
			one := s.alertmanager(clustered)
			two := s.alertmanager(clustered, one)
			if clustered {
				eventually(t, "the cluster", func() bool { return one.metric("alertmanager_cluster_members") == 2 })
			}
			began := time.Now()
			one.fire(began, "redis-a", "redis-b")
			two.fire(began, "redis-a", "redis-b")
			s.once("redis-a", "redis-b")
			eventually(t, "repeats by both", func() bool { return s.accepted() >= 8 })
			if !clustered {
				const sent = `alertmanager_notifications_total{integration="webhook"}`
				eventually(t, "both to have sent", func() bool { return one.metric(sent) > 0 && two.metric(sent) > 0 })
			}
			s.once("redis-a", "redis-b")
		})
	}
}
