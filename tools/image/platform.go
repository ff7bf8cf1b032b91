package main

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Where things are in the image. The Dockerfile says the same.
const (
	binaryPath = "usr/local/bin/consumer"
	certsPath  = "etc/ssl/certs/ca-certificates.crt"
	homePath   = "var/lib/sluice"
	userID     = 65532
)

// platformImage is an image for one platform.
type platformImage struct {
	platform string
	image    v1.Image
	sbom     []byte
}

// buildPlatform compiles the program and puts it on the base layer.
func buildPlatform(o options, platform, work string, base v1.Layer) (platformImage, error) {
	system, machine, ok := strings.Cut(platform, "/")
	if !ok {
		return platformImage{}, fmt.Errorf("not a platform; write it like linux/amd64")
	}
	binary := filepath.Join(work, system+"-"+machine)
	if err := compile(o, system, machine, binary); err != nil {
		return platformImage{}, err
	}
	sbom, err := describe(o, binary)
	if err != nil {
		return platformImage{}, fmt.Errorf("bill of materials: %w", err)
	}
	program, err := programLayer(binary, o.created)
	if err != nil {
		return platformImage{}, err
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if img, err = mutate.Append(img,
		mutate.Addendum{Layer: base, MediaType: types.OCILayer, History: v1.History{Created: v1.Time{Time: o.created}, CreatedBy: "certificates, user, directories"}},
		mutate.Addendum{Layer: program, MediaType: types.OCILayer, History: v1.History{Created: v1.Time{Time: o.created}, CreatedBy: "the program"}},
	); err != nil {
		return platformImage{}, err
	}
	file, err := img.ConfigFile()
	if err != nil {
		return platformImage{}, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Created = system, machine, v1.Time{Time: o.created}
	file.Config = imageConfig(o)
	img, err = mutate.ConfigFile(img, file)
	return platformImage{platform, img, sbom}, err
}

// imageConfig is how the image runs.
func imageConfig(o options) v1.Config {
	return v1.Config{
		Entrypoint: []string{"/" + binaryPath},
		// So that `kubectl exec ... -- consumer` finds it, whatever the runtime's default.
		Env:        []string{"PATH=/" + path.Dir(binaryPath)},
		User:       fmt.Sprintf("%d:%d", userID, userID),
		WorkingDir: "/" + homePath,
		Labels:     labels(o),
	}
}

func labels(o options) map[string]string {
	const home = "https://github.com/seed-7b870224/sluice"
	return map[string]string{
		"org.opencontainers.image.title":         "sluice",
		"org.opencontainers.image.description":   "Carries out commands for managed Redis instances on several clouds, once, in time and inside the quota",
		"org.opencontainers.image.source":        home,
		"org.opencontainers.image.documentation": home + "/blob/main/README.md",
		"org.opencontainers.image.version":       o.version,
		"org.opencontainers.image.revision":      o.commit,
		"org.opencontainers.image.created":       o.date,
	}
}

// compile builds the program as the Dockerfile does.
func compile(o options, system, machine, out string) error {
	stamp := fmt.Sprintf("-s -w -buildid= -X main.version=%s -X main.commit=%s -X main.date=%s", o.version, o.commit, o.date)
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", stamp, "-o", out, "./cmd/consumer")
	cmd.Dir = o.source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+machine, "GOWORK=off")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("compile: %w", err)
	}
	return nil
}
