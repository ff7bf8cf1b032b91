package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/seed-7b870224/sluice/internal/secret"
)

// files is how the configuration reaches the disk.
type files struct {
	read func(path string) ([]byte, error)
	// stat tells whether a file has changed; nil means that nobody can tell.
	stat func(path string) (fs.FileInfo, error)
}

// newFiles uses the disk where the options bring no reader of their own.
func newFiles(opts Options) files {
	if opts.ReadFile != nil {
		return files{read: opts.ReadFile}
	}
	return files{read: readBounded, stat: os.Stat}
}

// readBounded reads a file that must not be larger than any configuration.
func readBounded(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxFile+1))
}

// text reads a file that a scalar refers to, one trailing newline cut.
func (f files) text(path string) (string, error) {
	content, err := f.read(path)
	if err != nil {
		return "", fmt.Errorf("file %s cannot be read (%w); make it readable or correct the path", path, cause(err))
	}
	if len(content) > secret.MaxSize {
		return "", fmt.Errorf("file %s is over %d bytes; is it the right one?", path, secret.MaxSize)
	}
	return secret.CutNewline(string(content)), nil
}

// cause strips operation and path from a file error, which the caller names.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
