package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"debug/buildinfo"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// stamped is what the tests build with.
func stamped(t *testing.T, out string) options {
	t.Helper()
	o, err := parse([]string{"-source", "../..", "-out", out, "-version", "v1.2.3-test", "-commit", "0123abc", "-date", "2026-01-02T03:04:05Z"})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// archiveFile is the image, built once for all tests.
var archiveFile = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "sluice-image-test-")
	return filepath.Join(dir, "image.tar"), err
})

var buildOnce sync.Once

// archive builds the image and returns its file and options.
func archive(t *testing.T) (string, options) {
	t.Helper()
	out, err := archiveFile()
	if err != nil {
		t.Fatal(err)
	}
	o := stamped(t, out)
	buildOnce.Do(func() { err = build(o) })
	if err != nil {
		t.Fatal(err)
	}
	return out, o
}

func TestMain(m *testing.M) {
	code := m.Run()
	if out, err := archiveFile(); err == nil {
		_ = os.RemoveAll(filepath.Dir(out))
	}
	os.Exit(code)
}

// unpack opens the archive as an OCI layout.
func unpack(t *testing.T, file string) (layout.Path, v1.IndexManifest) {
	t.Helper()
	dir := t.TempDir()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	extract(t, f, dir)
	path, err := layout.FromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	index, err := path.ImageIndex()
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	return path, *manifest
}

// extract writes the files of a tar archive below a directory.
func extract(t *testing.T, r io.Reader, dir string) {
	t.Helper()
	for files := tar.NewReader(r); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		target := filepath.Join(dir, filepath.FromSlash(h.Name))
		if h.Typeflag == tar.TypeDir {
			err = os.MkdirAll(target, 0o755)
		} else if err = os.MkdirAll(filepath.Dir(target), 0o755); err == nil {
			var content []byte
			if content, err = io.ReadAll(files); err == nil {
				err = os.WriteFile(target, content, h.FileInfo().Mode().Perm())
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// imageFor is the image of a platform.
func imageFor(t *testing.T, path layout.Path, top v1.IndexManifest, platform string) v1.Image {
	t.Helper()
	outer, err := path.ImageIndex()
	if err != nil {
		t.Fatal(err)
	}
	inner, err := outer.ImageIndex(top.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := inner.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range manifest.Manifests {
		if m.Platform != nil && m.Platform.String() == platform {
			img, err := inner.Image(m.Digest)
			if err != nil {
				t.Fatal(err)
			}
			return img
		}
	}
	t.Fatalf("no image for %s", platform)
	return nil
}

// files are the entries of all layers, by name.
func files(t *testing.T, img v1.Image) map[string]*tar.Header {
	t.Helper()
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*tar.Header{}
	for _, l := range layers {
		r, err := l.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		for entries := tar.NewReader(r); ; {
			h, err := entries.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			out[strings.TrimSuffix(h.Name, "/")] = h
		}
		r.Close()
	}
	return out
}

func TestImageOfEachPlatform(t *testing.T) {
	file, o := archive(t)
	path, top := unpack(t, file)
	if got := top.Manifests[0].Annotations[annotationRef]; got != o.version {
		t.Errorf("the archive calls the image %q", got)
	}
	for _, platform := range o.platforms {
		img := imageFor(t, path, top, platform)
		conf, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		c := conf.Config
		if c.User != "65532:65532" || !slices.Equal(c.Entrypoint, []string{"/usr/local/bin/consumer"}) || c.WorkingDir != "/var/lib/sluice" || len(c.Cmd) > 0 {
			t.Errorf("%s: config %+v", platform, c)
		}
		if conf.OS+"/"+conf.Architecture != platform || !conf.Created.Equal(o.created) {
			t.Errorf("%s: is for %s/%s, of %s", platform, conf.OS, conf.Architecture, conf.Created)
		}
		if c.Labels["org.opencontainers.image.version"] != o.version || c.Labels["org.opencontainers.image.revision"] != o.commit || c.Labels["org.opencontainers.image.created"] != o.date {
			t.Errorf("%s: labels %v", platform, c.Labels)
		}
		all := files(t, img)
		want := []string{"etc", "etc/group", "etc/passwd", "etc/ssl", "etc/ssl/certs", certsPath, "tmp", "usr", "usr/local", "usr/local/bin", binaryPath, "var", "var/lib", homePath}
		for name, h := range all {
			if !slices.Contains(want, name) {
				t.Errorf("%s: %s is in the image, and nobody needs it", platform, name)
			}
			if !h.ModTime.Equal(o.created) {
				t.Errorf("%s: %s is of %s", platform, name, h.ModTime)
			}
		}
		for _, name := range want {
			if all[name] == nil {
				t.Fatalf("%s: %s is missing", platform, name)
			}
		}
		if h := all["tmp"]; h.Mode != 0o1777 {
			t.Errorf("%s: /tmp has mode %o", platform, h.Mode)
		}
		if h := all[homePath]; h.Uid != userID || h.Mode != 0o750 {
			t.Errorf("%s: /%s has mode %o and is %d's", platform, homePath, h.Mode, h.Uid)
		}
		if h := all[binaryPath]; h.Uid != 0 || h.Mode != 0o755 {
			t.Errorf("%s: the program has mode %o and is %d's", platform, h.Mode, h.Uid)
		}
	}
}

// root extracts the image of this machine's platform.
func root(t *testing.T) string {
	t.Helper()
	file, _ := archive(t)
	path, top := unpack(t, file)
	img := imageFor(t, path, top, "linux/"+runtime.GOARCH)
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, l := range layers {
		r, err := l.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		extract(t, r, dir)
		r.Close()
	}
	return dir
}

func TestCertificates(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(root(t), certsPath))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			t.Error(err)
		}
		n++
	}
	if n < 80 {
		t.Errorf("%d authorities", n)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(raw) {
		t.Error("not a file of certificates")
	}
}

func TestBillOfMaterials(t *testing.T) {
	file, o := archive(t)
	path, top := unpack(t, file)
	for i, platform := range o.platforms {
		beside, err := os.ReadFile(sbomPath(file, platform))
		if err != nil {
			t.Fatal(err)
		}
		desc := top.Manifests[1+i]
		raw, err := path.Bytes(desc.Digest)
		if err != nil {
			t.Fatal(err)
		}
		var artifact struct {
			ArtifactType string
			Subject      v1.Descriptor
			Layers       []v1.Descriptor
		}
		if err := json.Unmarshal(raw, &artifact); err != nil {
			t.Fatal(err)
		}
		digest, err := imageFor(t, path, top, platform).Digest()
		if err != nil {
			t.Fatal(err)
		}
		if artifact.ArtifactType != spdxType || desc.ArtifactType != spdxType || artifact.Subject.Digest != digest {
			t.Errorf("%s: the artifact refers to %s: %s", platform, artifact.Subject.Digest, raw)
		}
		attached, err := path.Bytes(artifact.Layers[0].Digest)
		if err != nil || !bytes.Equal(attached, beside) {
			t.Errorf("%s: the attached SBOM is not the one beside the archive: %v", platform, err)
		}
	}
	modules(t, filepath.Join(root(t), binaryPath), sbomPath(file, "linux/"+runtime.GOARCH))
}

// modules compares the list with what the binary says.
func modules(t *testing.T, binary, sbom string) {
	t.Helper()
	out, err := exec.Command("go", "version", "-m", binary).Output()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(sbom)
	if err != nil {
		t.Fatal(err)
	}
	var doc document
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	listed, ids := map[string]bool{}, map[string]bool{}
	for _, p := range doc.Packages {
		if ids[p.ID] {
			t.Errorf("two packages have the id %s", p.ID)
		}
		ids[p.ID] = true
		listed[p.Name+" "+p.Version] = true
	}
	for _, r := range doc.Relations {
		if !ids[r.To] {
			t.Errorf("a relation to %s, which is not there", r.To)
		}
	}
	n := 0
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) >= 3 && f[0] == "dep" {
			n++
			if !listed[f[1]+" "+f[2]] {
				t.Errorf("%s %s is not listed", f[1], f[2])
			}
		}
	}
	if n < 20 || len(doc.Packages) != n+2 {
		t.Errorf("%d packages are listed for %d modules, the program and Go", len(doc.Packages), n)
	}
}

// The binary of this machine's platform runs as it would in a container: from a
// directory that it cannot write to, as somebody else if that can be had.
func TestProgramRuns(t *testing.T) {
	dir := root(t)
	binary := filepath.Join(dir, binaryPath)
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range info.Settings {
		if s.Key == "CGO_ENABLED" && s.Value != "0" {
			t.Error("the program is not static")
		}
	}
	out, err := contained(t, dir, "version", "--output", "json").CombinedOutput()
	var v struct{ Version, Commit, Date string }
	if jsonErr := json.Unmarshal(out, &v); err != nil || jsonErr != nil || v.Version != "v1.2.3-test" || v.Commit != "0123abc" || v.Date != "2026-01-02T03:04:05Z" {
		t.Errorf("version: %v: %s", err, out)
	}
	out, err = contained(t, dir, "demo", "--output", "json").CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"status":"succeeded"`) {
		t.Errorf("demo: %v: %s", err, out)
	}
}

// As `run` the program needs no place to write to, where the broker is somewhere else: it
// says that it waits for it, and ends when told to.
func TestProgramRunsReadOnly(t *testing.T) {
	dir := root(t)
	conf := filepath.Join(t.TempDir(), "sluice.yaml")
	text := "nats: {url: \"nats://127.0.0.1:1\"}\nhttp: {listen: \"127.0.0.1:0\"}\n"
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	openUp(t, filepath.Dir(conf))
	cmd := contained(t, dir, "run", "--config", conf)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	for buf := make([]byte, 4096); !strings.Contains(log.String(), "cannot connect to NATS"); {
		n, err := stderr.Read(buf)
		log.Write(buf[:n])
		if err != nil {
			t.Fatalf("ended: %s", log.String())
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(stderr)
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v: %s%s", err, log.String(), rest)
	}
}

// contained prepares the program in a directory without write permission.
func contained(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	home := filepath.Join(dir, homePath)
	if err := os.Chmod(home, 0o555); err != nil {
		t.Fatal(err)
	}
	openUp(t, dir)
	cmd := exec.Command(filepath.Join(dir, binaryPath), args...)
	cmd.Dir, cmd.Env = home, []string{"TMPDIR=" + os.TempDir()}
	cmd.WaitDelay = time.Minute
	asNonRoot(cmd)
	return cmd
}

// openUp lets others enter the test's directories.
func openUp(t *testing.T, dir string) {
	t.Helper()
	for ; dir != os.TempDir() && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		_ = os.Chmod(dir, 0o755)
	}
}

// Twice the same: the archive and the lists, to the byte.
func TestReproducible(t *testing.T) {
	first, o := archive(t)
	o.out = filepath.Join(t.TempDir(), "again.tar")
	if err := build(o); err != nil {
		t.Fatal(err)
	}
	pairs := [][2]string{{first, o.out}}
	for _, p := range o.platforms {
		pairs = append(pairs, [2]string{sbomPath(first, p), sbomPath(o.out, p)})
	}
	for _, pair := range pairs {
		a, err := os.ReadFile(pair[0])
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(pair[1])
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs when built again", filepath.Base(pair[0]))
		}
	}
}
