package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// entry is a file or, without content, a directory of a layer.
type entry struct {
	name    string
	mode    int64
	owner   int
	content []byte
}

// baseLayer is all that the program finds around itself.
func baseLayer(created time.Time) (v1.Layer, error) {
	user := fmt.Sprintf("nonroot:x:%d:%d:nonroot:/%s:/sbin/nologin\n", userID, userID, homePath)
	return layerOf(created,
		entry{"etc/passwd", 0o644, 0, []byte(user)},
		entry{"etc/group", 0o644, 0, fmt.Appendf(nil, "nonroot:x:%d:\n", userID)},
		entry{certsPath, 0o644, 0, certificates()},
		entry{"tmp", 0o1777, 0, nil},
		entry{homePath, 0o750, userID, nil},
	)
}

func programLayer(binary string, created time.Time) (v1.Layer, error) {
	content, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	return layerOf(created, entry{binaryPath, 0o755, 0, content})
}

// certificates are the authorities that Mozilla trusts without reservations. The others
// are trusted for certificates issued in the past only, which a file cannot say.
func certificates() []byte {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})
		}
	}
	return out.Bytes()
}

// layerOf packs entries, with the directories above them, in the same way every time.
func layerOf(created time.Time, entries ...entry) (v1.Layer, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	made := map[string]bool{".": true}
	var write func(e entry) error
	write = func(e entry) error {
		if parent := path.Dir(e.name); !made[parent] {
			if err := write(entry{name: parent, mode: 0o755}); err != nil {
				return err
			}
		}
		made[e.name] = true
		header := &tar.Header{
			Name: e.name, Mode: e.mode, Uid: e.owner, Gid: e.owner, Size: int64(len(e.content)), ModTime: created,
			Typeflag: tar.TypeReg, Format: tar.FormatUSTAR,
		}
		if e.content == nil {
			header.Typeflag, header.Name = tar.TypeDir, e.name+"/"
		}
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		_, err := w.Write(e.content)
		return err
	}
	for _, e := range entries {
		if err := write(e); err != nil {
			return nil, fmt.Errorf("pack %s: %w", strings.TrimSuffix(e.name, "/"), err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil },
		tarball.WithMediaType(types.OCILayer))
}
