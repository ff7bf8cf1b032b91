// Command image builds the container image without a container engine: for each
// platform a static binary on nothing but certificates, as an OCI archive with a bill
// of materials for each. The same source and arguments make the same bytes.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// options is what an image is made of.
type options struct {
	source                string // of the program's module
	out                   string
	version, commit, date string
	platforms             []string
	created               time.Time
}

func main() {
	o, err := parse(os.Args[1:])
	if err == nil {
		err = build(o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	flags.StringVar(&o.source, "source", ".", "the repository")
	flags.StringVar(&o.out, "out", "bin/sluice-image.tar", "the archive to write; the SBOMs go beside it")
	flags.StringVar(&o.version, "version", "devel", "version to stamp")
	flags.StringVar(&o.commit, "commit", "", "commit to stamp")
	flags.StringVar(&o.date, "date", "", "date to stamp and to give the files (RFC 3339); the commit's, not today's")
	platforms := flags.String("platforms", "linux/amd64,linux/arm64", "platforms, separated by commas")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.platforms = strings.Split(*platforms, ",")
	o.created = time.Unix(0, 0).UTC()
	if o.date != "" {
		if o.created, err = time.Parse(time.RFC3339, o.date); err != nil {
			return o, fmt.Errorf("-date: %w; write it like 2006-01-02T15:04:05Z", err)
		}
	}
	return o, nil
}

// build makes the images and writes everything.
func build(o options) error {
	work, err := os.MkdirTemp("", "sluice-image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	base, err := baseLayer(o.created)
	if err != nil {
		return err
	}
	var images []platformImage
	for _, name := range o.platforms {
		img, err := buildPlatform(o, name, work, base)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		images = append(images, img)
	}
	if err := os.MkdirAll(filepath.Dir(o.out), 0o755); err != nil {
		return err
	}
	digest, err := writeArchive(o, images, filepath.Join(work, "layout"))
	if err != nil {
		return err
	}
	for _, img := range images {
		if err := os.WriteFile(sbomPath(o.out, img.platform), img.sbom, 0o644); err != nil {
			return err
		}
	}
	fmt.Printf("%s  %s\n", o.out, digest)
	return nil
}

// sbomPath is where a platform's bill of materials goes: beside the archive.
func sbomPath(out, platform string) string {
	return strings.TrimSuffix(out, ".tar") + "." + strings.ReplaceAll(platform, "/", "-") + ".spdx.json"
}
