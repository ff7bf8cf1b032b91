package check

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
)

// container is a pod's file system and environment, laid out in a directory.
type container struct {
	root string
	env  []string
}

// layOut does what the kubelet does with volumes and variables: Secrets and ConfigMaps
// become files where they are mounted and variables where they are taken from. What is
// mounted or taken but does not exist is an error.
func layOut(t *testing.T, o *objects) container {
	t.Helper()
	c := container{root: t.TempDir()}
	secrets := existingSecrets(t)
	for name, s := range o.secrets {
		secrets[name] = s.StringData
	}
	pod := o.consumer().Spec.Template.Spec
	volumes := map[string]map[string]string{}
	for _, v := range pod.Volumes {
		switch {
		case v.Secret != nil && secrets[v.Secret.SecretName] != nil:
			volumes[v.Name] = secrets[v.Secret.SecretName]
		case v.ConfigMap != nil && o.configMaps[v.ConfigMap.Name] != nil:
			volumes[v.Name] = o.configMaps[v.ConfigMap.Name].Data
		case v.EmptyDir != nil:
			volumes[v.Name] = map[string]string{}
		default:
			t.Errorf("volume %s has no source that exists: %+v", v.Name, v.VolumeSource)
		}
	}
	for _, m := range pod.Containers[0].VolumeMounts {
		content, ok := volumes[m.Name]
		if !ok {
			t.Errorf("no volume %s for %s", m.Name, m.MountPath)
		}
		c.write(t, m.MountPath, content)
	}
	c.setEnv(t, pod.Containers[0], secrets)
	return c
}

// write puts the files below the mount path as the kubelet does, through symbolic links
// that it can change at once; references in them, as those of the configuration, point
// into the directory.
func (c *container) write(t *testing.T, mountPath string, files map[string]string) {
	t.Helper()
	const version = "..2026_01_02_03_04_05.678"
	dir := filepath.Join(c.root, mountPath)
	must(t, os.MkdirAll(filepath.Join(dir, version), 0o755))
	must(t, os.Symlink(version, filepath.Join(dir, "..data")))
	for name, text := range files {
		text = strings.ReplaceAll(text, "/etc/sluice/", c.root+"/etc/sluice/")
		must(t, os.WriteFile(filepath.Join(dir, version, name), []byte(text), 0o600))
		must(t, os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (c *container) setEnv(t *testing.T, of core.Container, secrets map[string]map[string]string) {
	t.Helper()
	for _, from := range of.EnvFrom {
		if from.SecretRef == nil {
			continue
		}
		content, ok := secrets[from.SecretRef.Name]
		if !ok {
			t.Errorf("variables are taken from Secret %s, which does not exist", from.SecretRef.Name)
		}
		for name, value := range content {
			c.env = append(c.env, name+"="+value)
		}
	}
	for _, e := range of.Env {
		if e.Value != "" {
			c.env = append(c.env, e.Name+"="+e.Value)
		}
	}
}

// run runs the program with the container's environment and nothing else.
func (c *container) run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	path := program(t) // building it is not part of the bounded time
	cmd := exec.CommandContext(bounded(t), path, args...)
	cmd.Env, cmd.Dir = append([]string{"HOME=" + c.root}, c.env...), c.root
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// configFile is the path that the container's arguments name, in the directory.
func (c *container) configFile(o *objects) string {
	args := o.consumer().Spec.Template.Spec.Containers[0].Args
	for i := range args {
		if args[i] == "--config" && i+1 < len(args) {
			return filepath.Join(c.root, args[i+1])
		}
	}
	return ""
}

// The program accepts the configuration of every set, with all that it refers to in the
// places where the pod has it, and has no warning about it.
func TestConfigurationPassesCheck(t *testing.T) {
	for _, name := range sets(t) {
		t.Run(name, func(t *testing.T) {
			o := rendered(t, name)
			c := layOut(t, o)
			out, err := c.run(t, "check", "--config", c.configFile(o))
			if err != nil || strings.Contains(out, "warning") || !strings.Contains(out, ": ok (broker: ") {
				t.Errorf("error %v\n%s\n%s", err, out, o.settings())
			}
		})
	}
}

// The judge itself: a pod without the Secret's key is found out.
func TestCheckNoticesWhatIsNotMounted(t *testing.T) {
	o := renderedValues(t, with(readSet(t, "production"), "secrets.files", []any{"sluice-publishers"}))
	c := layOut(t, o)
	if out, err := c.run(t, "check", "--config", c.configFile(o)); err == nil || !strings.Contains(out, "volc-ak") {
		t.Errorf("error %v\n%s", err, out)
	}
}

// The program finds the passwords of the mounted Secret where it looks for them by
// default, which is why the chart sets no secrets.dir.
func TestPasswordsAreFound(t *testing.T) {
	o := rendered(t, "everything")
	c := layOut(t, o)
	settings := mustRead(t, c.configFile(o)) + "\n"
	settings = strings.Replace(settings, "\nsecrets:\n", "\nsecrets:\n  dir: "+c.root+"/etc/sluice/secrets\n", 1)
	must(t, os.WriteFile(c.configFile(o), []byte(settings), 0o600))
	for secret, want := range map[string]bool{"cache-1": true, "cache-2": false} {
		event := filepath.Join(c.root, "event.json")
		must(t, os.WriteFile(event, fmt.Appendf(nil, `{"specversion": "1.0", "id": "1", "source": "/test", "type": "dev.sluice.command.flush.v1", "data": {
			"vendor": "tencent", "account": "tc", "region": "ap-guangzhou", "instanceId": "crs-1", "parameters": {"password": {"secretRef": %q}}}}`, secret), 0o600))
		out, err := c.run(t, "check", "--config", c.configFile(o), event)
		if (err == nil) != want || strings.Contains(out, "secret_unavailable") == want {
			t.Errorf("%s: error %v\n%s", secret, err, out)
		}
	}
}

// Files that the configuration names outside of ${file:...} exist as well: the program
// opens them only when it starts.
func TestConfiguredFilesAreMounted(t *testing.T) {
	for _, name := range sets(t) {
		t.Run(name, func(t *testing.T) {
			o := rendered(t, name)
			c := layOut(t, o)
			found := 0
			for _, word := range strings.FieldsFunc(o.settings(), func(r rune) bool { return strings.ContainsRune(" \n'\"{}:", r) }) {
				if !strings.HasPrefix(word, "/etc/sluice/") {
					continue
				}
				found++
				if _, err := os.Stat(filepath.Join(c.root, word)); err != nil {
					t.Error(err)
				}
			}
			if strings.Contains(o.settings(), "/etc/") && found == 0 {
				t.Error("no path found in the configuration")
			}
		})
	}
}

// The program listens where probes, Services and NetworkPolicy expect it.
func TestConfiguredListenersAreThePorts(t *testing.T) {
	for _, name := range sets(t) {
		o := rendered(t, name)
		conf, err := parseYAML[map[string]any](o.settings())
		if err != nil {
			t.Fatal(err)
		}
		ports := map[string]string{}
		for _, p := range o.consumer().Spec.Template.Spec.Containers[0].Ports {
			ports[p.Name] = fmt.Sprint(p.ContainerPort)
		}
		for _, what := range []string{"http", "intake"} {
			section, ok := conf[what].(map[string]any)
			if !ok {
				if ports[what] != "" {
					t.Errorf("%s: port %s is declared, but nothing listens there", name, what)
				}
				continue
			}
			host, port, err := net.SplitHostPort(section["listen"].(string))
			if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsUnspecified() || port != ports[what] {
				t.Errorf("%s: %s listens on %v, the port is %s", name, what, section["listen"], ports[what])
			}
		}
	}
}
