package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	spdxType  = "application/spdx+json"
	emptyType = "application/vnd.oci.empty.v1+json"
	// annotationRef names an image inside an archive, for tools that ask for a tag.
	annotationRef = "org.opencontainers.image.ref.name"
)

// writeArchive writes the OCI layout of all images and of their bills of materials into
// one file, and returns the digest of the whole image.
func writeArchive(o options, images []platformImage, dir string) (v1.Hash, error) {
	var index v1.ImageIndex = mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, img := range images {
		system, machine, _ := strings.Cut(img.platform, "/")
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img.image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: system, Architecture: machine}}})
	}
	index = mutate.Annotations(index, labels(o)).(v1.ImageIndex)
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return v1.Hash{}, err
	}
	if err := path.AppendIndex(index, layout.WithAnnotations(map[string]string{annotationRef: o.version})); err != nil {
		return v1.Hash{}, err
	}
	for _, img := range images {
		if err := attach(path, o, img); err != nil {
			return v1.Hash{}, fmt.Errorf("attach the bill of materials of %s: %w", img.platform, err)
		}
	}
	if err := pack(dir, o.out, o.created); err != nil {
		return v1.Hash{}, err
	}
	return index.Digest()
}

// attach adds a bill of materials as an artifact that refers to its image, which is how
// registries find it (OCI 1.1, referrers).
func attach(path layout.Path, o options, img platformImage) error {
	subject, err := partial.Descriptor(img.image)
	if err != nil {
		return err
	}
	nothing, err := blob(path, emptyType, []byte("{}"))
	if err != nil {
		return err
	}
	sbom, err := blob(path, spdxType, img.sbom)
	if err != nil {
		return err
	}
	manifest, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": types.OCIManifestSchema1, "artifactType": spdxType,
		"config": nothing, "layers": []v1.Descriptor{sbom},
		"subject":     v1.Descriptor{MediaType: subject.MediaType, Size: subject.Size, Digest: subject.Digest},
		"annotations": map[string]string{"org.opencontainers.image.created": o.created.Format(time.RFC3339)},
	})
	if err != nil {
		return err
	}
	desc, err := blob(path, string(types.OCIManifestSchema1), manifest)
	if err != nil {
		return err
	}
	desc.ArtifactType = spdxType
	return path.AppendDescriptor(desc)
}

// blob stores content under its digest.
func blob(path layout.Path, mediaType string, content []byte) (v1.Descriptor, error) {
	digest, size, err := v1.SHA256(bytes.NewReader(content))
	if err != nil {
		return v1.Descriptor{}, err
	}
	err = path.WriteBlob(digest, io.NopCloser(bytes.NewReader(content)))
	return v1.Descriptor{MediaType: types.MediaType(mediaType), Size: size, Digest: digest}, err
}

// pack writes a directory as an archive, in the order of names.
func pack(dir, out string, created time.Time) (err error) {
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
	}()
	w := tar.NewWriter(f)
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name, relErr := filepath.Rel(dir, path)
		if err != nil || relErr != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		header := &tar.Header{Name: filepath.ToSlash(name), Mode: 0o644, Size: int64(len(content)), ModTime: created, Format: tar.FormatUSTAR}
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	})
	if err != nil {
		return err
	}
	return w.Close()
}
