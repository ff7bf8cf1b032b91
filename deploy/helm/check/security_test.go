package check

import (
	"testing"

	core "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// restricted asks the evaluator of the API server's own admission plugin.
func restricted(t *testing.T, pod *core.PodTemplateSpec) policy.AggregateCheckResult {
	t.Helper()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	return policy.AggregateCheckResults(evaluator.EvaluatePod(level, &pod.ObjectMeta, &pod.Spec))
}

func TestPodsAreRestricted(t *testing.T) {
	for _, name := range sets(t) {
		for workload, pod := range rendered(t, name).pods() {
			if result := restricted(t, pod); !result.Allowed {
				t.Errorf("%s: %s: %s", name, workload, result.ForbiddenDetail())
			}
			for _, c := range pod.Spec.Containers {
				if c.SecurityContext.ReadOnlyRootFilesystem == nil || !*c.SecurityContext.ReadOnlyRootFilesystem {
					t.Errorf("%s: %s: %s can write to its file system", name, workload, c.Name)
				}
				if c.Resources.Requests.Cpu().IsZero() || c.Resources.Limits.Memory().IsZero() {
					t.Errorf("%s: %s: %s has no resources", name, workload, c.Name)
				}
			}
			if user := pod.Spec.SecurityContext.RunAsUser; user == nil || *user != 65532 {
				t.Errorf("%s: %s runs as %v", name, workload, user)
			}
			if auto := pod.Spec.AutomountServiceAccountToken; auto == nil || *auto {
				t.Errorf("%s: %s has a token of the Kubernetes API", name, workload)
			}
			if links := pod.Spec.EnableServiceLinks; links == nil || *links {
				t.Errorf("%s: %s gets variables of Services", name, workload)
			}
		}
	}
}

// The judge itself: each loosening is found.
func TestRestrictedRefuses(t *testing.T) {
	for key, value := range map[string]any{
		"podSecurityContext.runAsNonRoot":          false,
		"podSecurityContext.runAsUser":             0,
		"podSecurityContext.seccompProfile":        nil,
		"securityContext.allowPrivilegeEscalation": true,
		"securityContext.capabilities":             map[string]any{"drop": []any{}},
		"extraVolumes":                             []any{map[string]any{"name": "host", "hostPath": map[string]any{"path": "/"}}},
	} {
		o := renderedValues(t, with(readSet(t, "minimal"), key, value))
		if restricted(t, &o.consumer().Spec.Template).Allowed {
			t.Errorf("%s = %v is restricted", key, value)
		}
	}
}

func TestGoRuntimeFollowsTheLimits(t *testing.T) {
	for _, name := range sets(t) {
		c := rendered(t, name).consumer().Spec.Template.Spec.Containers[0]
		got := map[string]string{}
		for _, e := range c.Env {
			if e.ValueFrom != nil && e.ValueFrom.ResourceFieldRef != nil && e.ValueFrom.ResourceFieldRef.ContainerName == c.Name {
				got[e.Name] = e.ValueFrom.ResourceFieldRef.Resource
			}
		}
		if got["GOMAXPROCS"] != "limits.cpu" || got["GOMEMLIMIT"] != "limits.memory" {
			t.Errorf("%s: %v", name, got)
		}
	}
}
