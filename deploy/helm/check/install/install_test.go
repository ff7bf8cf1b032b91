package install

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
)

const release = "sluice"

// namespaceOf makes a namespace in which only restricted pods are admitted.
func (c *cluster) namespaceOf(t *testing.T, name string) string {
	t.Helper()
	_, err := c.client.CoreV1().Namespaces().Create(t.Context(), &core.Namespace{ObjectMeta: meta.ObjectMeta{
		Name: name, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}, meta.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// helm is what `helm --namespace` works with.
func (c *cluster) helm(t *testing.T, namespace string) *action.Configuration {
	t.Helper()
	flags := genericclioptions.NewConfigFlags(false)
	insecure, bearer := true, token
	flags.APIServer, flags.BearerToken, flags.Insecure, flags.Namespace = &c.config.Host, &bearer, &insecure, &namespace
	var conf action.Configuration
	if err := conf.Init(flags, namespace, "secret", func(string, ...any) {}); err != nil {
		t.Fatal(err)
	}
	return &conf
}

func loadChart(t *testing.T) *chart.Chart {
	t.Helper()
	c, err := loader.Load("../../sluice")
	if err != nil {
		t.Fatal(err)
	}
	c.Metadata.KubeVersion = "" // an API server that is built like this does not know its version
	return c
}

// set is one of the value sets, without the resources of operators that this cluster
// does not have.
func set(t *testing.T, name string) map[string]any {
	t.Helper()
	v, err := chartutil.ReadValuesFile("../testdata/values/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	off := map[string]any{"nack": map[string]any{"enabled": false}, "metrics": map[string]any{
		"monitor": map[string]any{"enabled": false}, "rules": map[string]any{"enabled": false}}}
	return chartutil.CoalesceTables(off, v)
}

func setNames(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("../testdata/values/*.yaml")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d value sets, error %v", len(files), err)
	}
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".yaml"))
	}
	return names
}

// Helm installs every set in a real API server, whose validation takes all of it, and
// whose admission takes the pods; it upgrades one set to each of the others and back,
// which nothing immutable forbids; and it leaves nothing behind.
func TestHelmInstallsUpgradesAndUninstalls(t *testing.T) {
	c := startCluster(t)
	for _, name := range setNames(t) {
		t.Run(name, func(t *testing.T) {
			namespace := c.namespaceOf(t, "install-"+name)
			install := action.NewInstall(c.helm(t, namespace))
			install.ReleaseName, install.Namespace = release, namespace
			made, err := install.Run(loadChart(t), set(t, name))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(made.Info.Notes, "consumer send restart") {
				t.Errorf("notes:\n%s", made.Info.Notes)
			}
			c.admitPods(t, namespace)
			if _, err := action.NewUninstall(c.helm(t, namespace)).Run(release); err != nil {
				t.Fatal(err)
			}
			if left := c.left(t, namespace); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
	t.Run("upgrade", func(t *testing.T) { c.upgrades(t) })
}

func (c *cluster) upgrades(t *testing.T) {
	namespace := c.namespaceOf(t, "upgrade")
	install := action.NewInstall(c.helm(t, namespace))
	install.ReleaseName, install.Namespace = release, namespace
	if _, err := install.Run(loadChart(t), set(t, "minimal")); err != nil {
		t.Fatal(err)
	}
	for _, name := range setNames(t) {
		values := set(t, name)
		delete(values, "nameOverride") // the selector of a Deployment is made of it
		upgrade := action.NewUpgrade(c.helm(t, namespace))
		upgrade.Namespace = namespace
		if _, err := upgrade.Run(release, loadChart(t), values); err != nil {
			t.Errorf("to %s: %v", name, err)
		}
	}
	back := action.NewRollback(c.helm(t, namespace))
	back.Version = 1
	if err := back.Run(release); err != nil {
		t.Fatal(err)
	}
	d, err := c.client.AppsV1().Deployments(namespace).Get(t.Context(), release, meta.GetOptions{})
	if err != nil || d.Spec.Template.Spec.Containers[0].EnvFrom[0].SecretRef.Name != "sluice-vendors" {
		t.Errorf("after the rollback %v, error %v", d, err)
	}
}

// admitPods makes the pods that the controllers would make, which this cluster does not
// have, and one that must not be admitted.
func (c *cluster) admitPods(t *testing.T, namespace string) {
	t.Helper()
	templates := map[string]core.PodTemplateSpec{}
	deployments, err := c.client.AppsV1().Deployments(namespace).List(t.Context(), meta.ListOptions{})
	if err != nil || len(deployments.Items) != 1 {
		t.Fatalf("%d deployments, error %v", len(deployments.Items), err)
	}
	for _, d := range deployments.Items {
		templates[d.Name] = d.Spec.Template
	}
	sets, err := c.client.AppsV1().StatefulSets(namespace).List(t.Context(), meta.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sets.Items {
		templates[s.Name] = s.Spec.Template
	}
	for name, template := range templates {
		pod := &core.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
		pod.Name, pod.Spec.PriorityClassName = name, ""
		if err := c.create(t, namespace, pod); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		pod.Name, pod.Spec.HostNetwork = name+"-loose", true
		if err := c.create(t, namespace, pod); err == nil || !strings.Contains(err.Error(), "violates PodSecurity") {
			t.Errorf("%s on the host's network: %v", name, err)
		}
	}
}

func (c *cluster) create(t *testing.T, namespace string, pod *core.Pod) error {
	_, err := c.client.CoreV1().Pods(namespace).Create(t.Context(), pod, meta.CreateOptions{DryRun: []string{meta.DryRunAll}})
	return err
}

// left are the objects of a namespace that the release should have taken with it.
func (c *cluster) left(t *testing.T, namespace string) (names []string) {
	t.Helper()
	for _, path := range []string{"/api/v1/namespaces/%s/configmaps", "/api/v1/namespaces/%s/secrets", "/api/v1/namespaces/%s/services",
		"/api/v1/namespaces/%s/serviceaccounts", "/apis/apps/v1/namespaces/%s/deployments", "/apis/apps/v1/namespaces/%s/statefulsets",
		"/apis/policy/v1/namespaces/%s/poddisruptionbudgets", "/apis/networking.k8s.io/v1/namespaces/%s/networkpolicies",
		"/apis/networking.k8s.io/v1/namespaces/%s/ingresses"} {
		data, err := c.client.RESTClient().Get().AbsPath(fmt.Sprintf(path, namespace)).DoRaw(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		var list meta.PartialObjectMetadataList
		if err := json.Unmarshal(data, &list); err != nil {
			t.Fatal(err)
		}
		for _, item := range list.Items {
			names = append(names, filepath.Base(path)+"/"+item.Name)
		}
	}
	// Without its controllers the cluster makes no default ServiceAccount; what remains
	// belongs to nobody.
	slices.Sort(names)
	return names
}
