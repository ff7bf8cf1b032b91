package main

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// finalStage are the instructions of the Dockerfile's last stage, and the text before.
func finalStage(t *testing.T) (instructions map[string][]string, before string) {
	t.Helper()
	raw, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(raw), "\\\n", " ")
	at := strings.LastIndex(text, "\nFROM ")
	if at < 0 {
		t.Fatal("no FROM")
	}
	instructions = map[string][]string{}
	for line := range strings.Lines(text[at+1:]) {
		if word, rest, ok := strings.Cut(strings.TrimSpace(line), " "); ok && !strings.HasPrefix(word, "#") {
			instructions[word] = append(instructions[word], strings.TrimSpace(rest))
		}
	}
	return instructions, text[:at]
}

// The Dockerfile and `make image` make the same image.
func TestDockerfileAgrees(t *testing.T) {
	stage, before := finalStage(t)
	o := options{version: "$VERSION", commit: "$COMMIT", date: "$DATE"}
	want := imageConfig(o)
	one := func(word string) string {
		if len(stage[word]) != 1 {
			t.Fatalf("%d instructions %s, want one: %v", len(stage[word]), word, stage[word])
		}
		return stage[word][0]
	}
	if one("FROM") != "scratch" {
		t.Errorf("FROM %s", one("FROM"))
	}
	if env := []string{one("ENV")}; !slices.Equal(env, want.Env) {
		t.Errorf("ENV %q, want %q", env, want.Env)
	}
	if one("USER") != want.User || one("WORKDIR") != want.WorkingDir {
		t.Errorf("USER %s, WORKDIR %s; want %s, %s", one("USER"), one("WORKDIR"), want.User, want.WorkingDir)
	}
	var entrypoint []string
	if err := json.Unmarshal([]byte(one("ENTRYPOINT")), &entrypoint); err != nil || !slices.Equal(entrypoint, want.Entrypoint) {
		t.Errorf("ENTRYPOINT %s (%v), want %q", one("ENTRYPOINT"), err, want.Entrypoint)
	}
	got := map[string]string{}
	for _, m := range regexp.MustCompile(`([a-z.]+)="([^"]*)"`).FindAllStringSubmatch(one("LABEL"), -1) {
		got[m[1]] = m[2]
	}
	if !maps.Equal(got, want.Labels) {
		t.Errorf("LABEL %v\nwant %v", got, want.Labels)
	}
	for _, word := range []string{"CMD", "EXPOSE", "VOLUME", "RUN", "SHELL"} {
		if len(stage[word]) > 0 {
			t.Errorf("%s %v, which `make image` does not have", word, stage[word])
		}
	}
	for _, text := range []string{
		"CGO_ENABLED=0", "-trimpath", "-buildvcs=false", "-s -w -buildid= -X main.version=$VERSION -X main.commit=$COMMIT -X main.date=$DATE",
		"-o /out/" + binaryPath, "/out/" + certsPath, "chmod 1777 /out/tmp", "chmod 0750 /own/" + homePath,
		"nonroot:x:65532:65532:nonroot:/" + homePath + ":/sbin/nologin",
	} {
		if !strings.Contains(before, text) {
			t.Errorf("the first stage lacks %q", text)
		}
	}
	if !slices.Contains(stage["COPY"], "--from=build /out/ /") || !slices.Contains(stage["COPY"], "--from=build --chown=65532:65532 /own/var/lib/ /var/lib/") {
		t.Errorf("COPY %v", stage["COPY"])
	}
}

// The Go release of the Dockerfile is that of go.mod.
func TestDockerfileGo(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	_, before := finalStage(t)
	release := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(mod))
	image := regexp.MustCompile(`golang:(\d+\.\d+)`).FindStringSubmatch(before)
	if release == nil || image == nil || release[1] != image[1] {
		t.Errorf("go.mod wants %v, the Dockerfile takes %v", release, image)
	}
}

// Everything that the program is compiled from gets past .dockerignore.
func TestDockerignore(t *testing.T) {
	raw, err := os.ReadFile("../../.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	out, err := goList("-deps", "-f", "{{with .Module}}{{if .Main}}{{$.ImportPath}}{{end}}{{end}}", "./cmd/consumer")
	if err != nil {
		t.Fatal(err)
	}
	for path := range strings.FieldsSeq(out) {
		dir := strings.TrimPrefix(path, "github.com/seed-7b870224/sluice/")
		top, _, _ := strings.Cut(dir, "/")
		if !strings.Contains(string(raw), "\n!"+top+"\n") {
			t.Errorf("%s is left out of the build", dir)
		}
	}
}

func goList(args ...string) (string, error) {
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = "../.."
	out, err := cmd.Output()
	return string(out), err
}
