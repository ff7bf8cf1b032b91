package config

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// envPrefix begins every variable that overrides the file.
const envPrefix = "SLUICE_"

// leaf is a scalar outside lists and maps, which environment and flags can set.
type leaf struct {
	path  string
	index []int
	field reflect.StructField
}

// leaves lists them in the order of the structs.
func leaves() []leaf {
	var list []leaf
	var walk func(t reflect.Type, path string, index []int)
	walk = func(t reflect.Type, path string, index []int) {
		for _, field := range fields(t) {
			at := join(path, field.Tag.Get("yaml"))
			to := append(slices.Clone(index), field.Index...)
			switch {
			case isScalar(field.Type):
				list = append(list, leaf{path: at, index: to, field: field})
			case field.Type.Kind() == reflect.Struct:
				walk(field.Type, at, to)
			}
		}
	}
	walk(reflect.TypeFor[Config](), "", nil)
	return list
}

// envNames are the variables of a path: in capitals with _ for the dots
// (SLUICE_NATS_CREDENTIALSFILE), and the same with the words of a name parted
// (SLUICE_NATS_CREDENTIALS_FILE).
func envNames(path string) []string {
	joined := envPrefix + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
	var parted strings.Builder
	for i, r := range path {
		if unicode.IsUpper(r) && i > 0 && unicode.IsLower(rune(path[i-1])) {
			parted.WriteByte('_')
		}
		parted.WriteRune(r)
	}
	split := envPrefix + strings.ToUpper(strings.ReplaceAll(parted.String(), ".", "_"))
	if split == joined {
		return []string{joined}
	}
	return []string{joined, split}
}

// override lays environment and flags over the file, flags last.
func override(p *problems, cfg *Config, opts Options) {
	flags := maps.Clone(opts.Flags)
	for _, leaf := range leaves() {
		if name, text := fromEnv(p, leaf, opts); name != "" {
			leaf.set(p, cfg, name, text)
		}
		if text, ok := flags[leaf.path]; ok {
			leaf.set(p, cfg, leaf.flagName(), text)
			delete(flags, leaf.path)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(flags)) {
		p.add(place{file: "flag for " + path}, path, "no single value can be set there; use the file")
	}
}

// fromEnv finds the variable that is set; an empty one counts as unset.
func fromEnv(p *problems, leaf leaf, opts Options) (name, text string) {
	for _, candidate := range envNames(leaf.path) {
		value, _ := opts.Env(candidate)
		switch {
		case value == "":
		case name == "":
			name, text = candidate, value
		case value != text:
			p.add(place{file: candidate}, leaf.path, "%s is set to something else; unset one of them", name)
		}
	}
	return name, text
}

func (l leaf) set(p *problems, cfg *Config, origin, text string) {
	target := reflect.ValueOf(cfg).Elem().FieldByIndex(l.index)
	p.values[l.path] = place{file: origin}
	if err := setScalar(target, text); err != nil {
		shown := "the value"
		if !isSecret(target.Type()) {
			shown = quoteShort(text)
		}
		p.add(place{file: origin}, l.path, "%s %s", shown, err)
	}
}

func (l leaf) flagName() string {
	if flag := l.field.Tag.Get("flag"); flag != "" {
		return "--" + flag
	}
	return "flag for " + l.path
}

// serviceLink matches what Kubernetes sets for every service of a namespace, so
// also for one called sluice or sluice-nats.
var serviceLink = regexp.MustCompile(`_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)

// unknownVariables warns of SLUICE_ variables that nothing reads: most are typing
// mistakes.
func unknownVariables(opts Options) []string {
	var known []string
	for _, leaf := range leaves() {
		known = append(known, envNames(leaf.path)...)
	}
	var warnings []string
	for _, entry := range slices.Sorted(slices.Values(opts.Environ())) {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, envPrefix) || slices.Contains(known, name) || slices.Contains(opts.KnownEnv, name) || serviceLink.MatchString(name) {
			continue
		}
		warnings = append(warnings, fmt.Sprintf("environment variable %s sets nothing%s", name, suggestion(name, known)))
	}
	return warnings
}
