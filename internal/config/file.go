package config

import (
	"fmt"
	"os"
	"reflect"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// Options is what a configuration is read with, besides its file.
type Options struct {
	// Catalog holds the facts of the known vendors by name.
	Catalog map[string]vendors.Facts
	// Env looks a variable up; nil means the process's environment.
	Env func(name string) (string, bool)
	// Environ lists the variables as NAME=value, to warn of SLUICE_ variables
	// that nothing reads; nil means the process's if Env is nil too, else none.
	Environ func() []string
	// KnownEnv are SLUICE_ variables that the caller reads itself.
	KnownEnv []string
	// ReadFile reads a file; nil means the disk.
	ReadFile func(path string) ([]byte, error)
	// Flags are values from the command line by path (nats.url).
	Flags map[string]string
}

func (o Options) withDefaults() Options {
	if o.Env == nil {
		o.Env = os.LookupEnv
		if o.Environ == nil {
			o.Environ = os.Environ
		}
	}
	if o.Environ == nil {
		o.Environ = func() []string { return nil }
	}
	return o
}

// Load reads the file and everything that overrides it. An empty path means no
// file: defaults, environment and flags.
func Load(path string, opts Options) (*Config, error) {
	if path == "" {
		return Parse("configuration", nil, opts)
	}
	data, err := newFiles(opts).read(path)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration %s: %w; name the file with --config", path, cause(err))
	}
	return Parse(path, data, opts)
}

// Parse reads the content of a file, which name stands for in errors. An error
// is of type [Errors] and names every mistake.
func Parse(name string, data []byte, opts Options) (*Config, error) {
	opts = opts.withDefaults()
	found := newProblems(name)
	disk := newFiles(opts)
	cfg := Default()
	if root := parseYAML(found, data); root != nil {
		refs := &interpolator{env: opts.Env, files: disk}
		reader := decoder{problems: found, refs: refs, budget: maxValues}
		reader.value(root, reflect.ValueOf(cfg).Elem(), "")
	}
	override(found, cfg, opts)
	checks := validator{problems: found, cfg: cfg, opts: opts, files: disk}
	if !found.bad[""] {
		checks.all()
	}
	if err := found.err(); err != nil {
		return nil, err
	}
	cfg.Warnings = append(checks.warnings, unknownVariables(opts)...)
	return cfg, nil
}
