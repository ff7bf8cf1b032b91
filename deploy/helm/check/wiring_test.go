package check

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/seed-7b870224/sluice/internal/broker"
)

// drainTime is how long the program takes to stop at most, as the contract has it.
const drainTime = 15

// chosen are the names of the pods' workloads that a selector picks.
func chosen(o *objects, selector map[string]string) (names []string) {
	for name, pod := range o.pods() {
		if len(selector) > 0 && labels.SelectorFromSet(selector).Matches(labels.Set(pod.Labels)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func portNames(pod *core.PodTemplateSpec) map[string]int32 {
	ports := map[string]int32{}
	for _, c := range pod.Spec.Containers {
		for _, p := range c.Ports {
			ports[p.Name] = p.ContainerPort
		}
	}
	return ports
}

// one fails the test unless exactly one workload is chosen.
func one(t *testing.T, o *objects, what string, selector map[string]string) *core.PodTemplateSpec {
	t.Helper()
	names := chosen(o, selector)
	if len(names) != 1 {
		t.Fatalf("%s selects %v", what, names)
	}
	return o.pods()[names[0]]
}

func forSets(t *testing.T, judge func(t *testing.T, o *objects)) {
	for _, name := range sets(t) {
		t.Run(name, func(t *testing.T) { judge(t, rendered(t, name)) })
	}
}

func TestServicesReachPorts(t *testing.T) {
	forSets(t, func(t *testing.T, o *objects) {
		for name, s := range o.services {
			pod := one(t, o, "Service "+name, s.Spec.Selector)
			for _, p := range s.Spec.Ports {
				if p.TargetPort.Type != intstr.String || portNames(pod)[p.TargetPort.StrVal] == 0 {
					t.Errorf("Service %s: target port %v is none of %v", name, p.TargetPort, portNames(pod))
				}
			}
		}
		for name, i := range o.ingresses {
			for _, r := range i.Spec.Rules {
				for _, p := range r.HTTP.Paths {
					checkBackend(t, o, name, p.Backend.Service)
				}
			}
		}
		for name, s := range o.statefulSets {
			if o.services[s.Spec.ServiceName] == nil {
				t.Errorf("StatefulSet %s: no Service %s", name, s.Spec.ServiceName)
			}
		}
	})
}

func checkBackend(t *testing.T, o *objects, ingress string, backend *networking.IngressServiceBackend) {
	t.Helper()
	s := o.services[backend.Name]
	if s == nil {
		t.Fatalf("Ingress %s: no Service %s", ingress, backend.Name)
	}
	if !slices.ContainsFunc(s.Spec.Ports, func(p core.ServicePort) bool { return p.Name == backend.Port.Name }) {
		t.Errorf("Ingress %s: Service %s has no port %s", ingress, backend.Name, backend.Port.Name)
	}
}

func TestProbesReachPorts(t *testing.T) {
	forSets(t, func(t *testing.T, o *objects) {
		for workload, pod := range o.pods() {
			for _, c := range pod.Spec.Containers {
				for kind, probe := range map[string]*core.Probe{"liveness": c.LivenessProbe, "readiness": c.ReadinessProbe} {
					if probe == nil || probe.HTTPGet == nil || portNames(pod)[probe.HTTPGet.Port.StrVal] == 0 {
						t.Errorf("%s: %s probe %+v", workload, kind, probe)
					}
				}
			}
		}
		c := o.consumer().Spec.Template.Spec.Containers[0]
		if c.LivenessProbe.HTTPGet.Path != "/livez" || c.StartupProbe.HTTPGet.Path != "/livez" || c.ReadinessProbe.HTTPGet.Path != "/readyz" {
			t.Error("probes ask for other paths than the program has")
		}
		if c.ReadinessProbe.TimeoutSeconds <= 2 { // within which /readyz answers
			t.Errorf("/readyz gets %d s", c.ReadinessProbe.TimeoutSeconds)
		}
	})
}

func TestSelectorsPickTheConsumer(t *testing.T) {
	forSets(t, func(t *testing.T, o *objects) {
		d := o.consumer()
		selectors := map[string]*meta.LabelSelector{"Deployment": d.Spec.Selector}
		for name, b := range o.budgets {
			selectors["PodDisruptionBudget "+name] = b.Spec.Selector
		}
		for name, m := range o.podMonitors {
			selectors["PodMonitor "+name] = &m.Spec.Selector
			if port := m.Spec.PodMetricsEndpoints[0].Port; port == nil || *port != "http" {
				t.Errorf("PodMonitor %s asks %v", name, port)
			}
		}
		for i := range d.Spec.Template.Spec.TopologySpreadConstraints {
			selectors["spread"] = d.Spec.Template.Spec.TopologySpreadConstraints[i].LabelSelector
		}
		for what, s := range selectors {
			if names := chosen(o, s.MatchLabels); len(names) != 1 || names[0] != d.Name || len(s.MatchExpressions) > 0 {
				t.Errorf("%s selects %v", what, names)
			}
		}
		for name, m := range o.monitors {
			checkServiceMonitor(t, o, name, m.Spec.Selector.MatchLabels, m.Spec.Endpoints[0].Port)
		}
	})
}

func checkServiceMonitor(t *testing.T, o *objects, name string, selector map[string]string, port string) {
	t.Helper()
	var found []string
	for service, s := range o.services {
		if labels.SelectorFromSet(selector).Matches(labels.Set(s.Labels)) {
			found = append(found, service)
			if s.Spec.Ports[0].Name != port {
				t.Errorf("ServiceMonitor %s asks port %s of %s", name, port, service)
			}
		}
	}
	if len(found) != 1 {
		t.Errorf("ServiceMonitor %s selects the Services %v", name, found)
	}
}

// Two releases in one namespace leave each other's pods alone.
func TestReleasesAreApart(t *testing.T) {
	for _, name := range sets(t) {
		files, err := renderAs(t, "another", readSet(t, name))
		if err != nil {
			t.Fatal(err)
		}
		other, err := decodeAll(files)
		if err != nil {
			t.Fatal(err)
		}
		o := rendered(t, name)
		for workload, pod := range o.pods() {
			for service, s := range other.services {
				if labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(pod.Labels)) {
					t.Errorf("%s: Service %s selects the other release's %s", name, service, workload)
				}
			}
		}
	}
}

func TestNetworkPolicyLetsThrough(t *testing.T) {
	forSets(t, func(t *testing.T, o *objects) {
		if len(o.policies) == 0 {
			t.Skip("no NetworkPolicy in this set")
		}
		for name, p := range o.policies {
			pod := one(t, o, "NetworkPolicy "+name, p.Spec.PodSelector.MatchLabels)
			if len(p.Spec.PolicyTypes) != 2 {
				t.Errorf("%s: types %v", name, p.Spec.PolicyTypes)
			}
			for port := range portNames(pod) {
				if !letsIn(p, port) {
					t.Errorf("%s does not let %s in", name, port)
				}
			}
		}
		p := o.policies[o.consumer().Name]
		for _, port := range append(natsPorts(t, o), 53, 443) {
			if !letsOut(p, port) {
				t.Errorf("%s does not let %d out", p.Name, port)
			}
		}
		if letsOut(p, 6379) {
			t.Errorf("%s lets everything out", p.Name)
		}
	})
}

func letsIn(p *networking.NetworkPolicy, name string) bool {
	return slices.ContainsFunc(p.Spec.Ingress, func(r networking.NetworkPolicyIngressRule) bool {
		return slices.ContainsFunc(r.Ports, func(q networking.NetworkPolicyPort) bool { return q.Port.StrVal == name })
	})
}

func letsOut(p *networking.NetworkPolicy, port int32) bool {
	return slices.ContainsFunc(p.Spec.Egress, func(r networking.NetworkPolicyEgressRule) bool {
		return len(r.Ports) == 0 || slices.ContainsFunc(r.Ports, func(q networking.NetworkPolicyPort) bool { return q.Port.IntVal == port })
	})
}

// natsPorts are those of the configured servers, worked out in another way than the
// chart does.
func natsPorts(t *testing.T, o *objects) (ports []int32) {
	t.Helper()
	conf, err := parseYAML[map[string]any](o.settings())
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]int32{"nats://nats.nats:4222": 4222, "tls://nats.example.com:4443": 4443, "wss://nats.example.com": 443,
		"tls://nats-0.example.com:4222": 4222, "tls://nats-1.example.com": 4222, "nats://sluice-nats:4222": 4222,
		"nats://nats-0.nats.nats:4222": 4222, "nats://nats-1.nats.nats:4222": 4222, "nats://nats-2.nats.nats:4222": 4222}
	for _, server := range strings.Split(conf["nats"].(map[string]any)["url"].(string), ",") {
		port, ok := known[strings.TrimSpace(server)]
		if !ok {
			t.Fatalf("no port known for %q; extend this list", server)
		}
		ports = append(ports, port)
	}
	return ports
}

func TestBundledNATSIsReached(t *testing.T) {
	o := rendered(t, "tryout")
	conf, err := parseYAML[map[string]any](o.settings())
	if err != nil {
		t.Fatal(err)
	}
	host := strings.TrimSuffix(strings.TrimPrefix(conf["nats"].(map[string]any)["url"].(string), "nats://"), ":4222")
	s := o.services[host]
	if s == nil || s.Spec.Ports[0].Port != 4222 {
		t.Fatalf("no Service %q with port 4222 among %v", host, slices.Collect(maps.Keys(o.services)))
	}
	if pod := one(t, o, host, s.Spec.Selector); portNames(pod)["nats"] != 4222 {
		t.Errorf("ports %v", portNames(pod))
	}
}

// NATS itself takes the configuration of the bundled server, and the program is content
// with that server.
func TestBundledNATSServes(t *testing.T) {
	o := rendered(t, "tryout")
	text := o.configMaps[chosen(o, map[string]string{"app.kubernetes.io/component": "nats"})[0]].Data["nats.conf"]
	file := filepath.Join(t.TempDir(), "nats.conf")
	if err := os.WriteFile(file, []byte(strings.Replace(text, "/data", t.TempDir(), 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	conf, err := server.ProcessConfigFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if conf.Port != 4222 || conf.HTTPPort != 8222 || !conf.JetStream || !conf.SyncAlways {
		t.Errorf("port %d, monitor %d, JetStream %v, sync always %v", conf.Port, conf.HTTPPort, conf.JetStream, conf.SyncAlways)
	}
	conf.Port, conf.HTTPPort, conf.NoSigs = server.RANDOM_PORT, server.RANDOM_PORT, true
	ns, err := server.NewServer(conf)
	if err != nil {
		t.Fatal(err)
	}
	go ns.Start()
	t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
	if !ns.ReadyForConnections(20 * time.Second) {
		t.Fatal("the bundled server does not start")
	}
	c, err := broker.Connect(bounded(t), broker.Options{URL: ns.ClientURL(), Prefix: "sluice", Replicas: 1, LedgerRetention: time.Hour, LeaseTTL: 8 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if found, err := c.Setup(bounded(t)); err != nil || len(found) > 0 {
		t.Errorf("%v, error %v", found, err)
	}
}

func TestPodsHaveTimeToDrain(t *testing.T) {
	forSets(t, func(t *testing.T, o *objects) {
		pod := o.consumer().Spec.Template.Spec
		wait := int64(0)
		if l := pod.Containers[0].Lifecycle; l != nil {
			wait = l.PreStop.Sleep.Seconds
		}
		if *pod.TerminationGracePeriodSeconds < drainTime+wait+5 {
			t.Errorf("killed after %d s, with %d s of waiting", *pod.TerminationGracePeriodSeconds, wait)
		}
		if sa := pod.ServiceAccountName; sa != "default" && (o.accounts[sa] == nil || *o.accounts[sa].AutomountServiceAccountToken) {
			t.Errorf("ServiceAccount %s: %+v", sa, o.accounts[sa])
		}
		if b := o.budgets[o.consumer().Name]; (b == nil) != (*o.consumer().Spec.Replicas == 1) {
			t.Errorf("%d replicas, budget %v", *o.consumer().Spec.Replicas, b)
		}
	})
}

// A changed configuration or Secret starts new pods; anything else does not.
func TestChecksumsFollowContent(t *testing.T) {
	sums := func(v values) map[string]string { return renderedValues(t, v).consumer().Spec.Template.Annotations }
	set := readSet(t, "userpassword")
	before := sums(set)
	for change, want := range map[string]string{"config.log": "checksum/config", "secrets.create": "checksum/secret"} {
		value := map[string]any{"level": "debug"}
		if change == "secrets.create" {
			value = map[string]any{"VOLC_AK": "other", "VOLC_SK": "x"}
		}
		for name, sum := range sums(with(set, change, value)) {
			if changed := sum != before[name]; changed != (name == want) {
				t.Errorf("%s: %s changed: %v", change, name, changed)
			}
		}
	}
	if after := sums(with(set, "minReadySeconds", 60)); !maps.Equal(before, after) {
		t.Errorf("%v became %v", before, after)
	}
}
