package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/seed-7b870224/sluice/internal/secret"
)

var namePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// interpolator replaces ${NAME} and ${file:/path} in scalars; $${ stands for ${.
type interpolator struct {
	env   func(string) (string, bool)
	files files
}

// segment is a part of a scalar: text, or a file whose content belongs there.
// The text is kept as a secret, since nobody can tell whether it is one.
type segment struct {
	text secret.Text
	file string
}

// interpolated is a scalar whose files can be read again.
type interpolated struct {
	segments []segment
	// references are the ${...} of the scalar, as written.
	references []string
}

func (v interpolated) hasReferences() bool { return len(v.references) > 0 }

// paths are the files that the scalar takes content from.
func (v interpolated) paths() []string {
	var paths []string
	for _, part := range v.segments {
		if part.file != "" {
			paths = append(paths, part.file)
		}
	}
	return paths
}

// read puts the scalar together, reading its files.
func (v interpolated) read(files files) (secret.Text, error) {
	var text strings.Builder
	for _, part := range v.segments {
		if part.file == "" {
			text.WriteString(part.text.Reveal())
			continue
		}
		content, err := files.text(part.file)
		if err != nil {
			return secret.Text{}, err
		}
		text.WriteString(content)
	}
	return secret.New(text.String()), nil
}

// parse takes a scalar apart. Variables are read here, once, as they cannot
// change; files when the scalar is read.
func (i *interpolator) parse(text string) (interpolated, error) {
	var v interpolated
	for text != "" {
		at := strings.Index(text, "${")
		if at < 0 {
			v.segments = append(v.segments, segment{text: secret.New(text)})
			break
		}
		if at > 0 && text[at-1] == '$' {
			v.segments = append(v.segments, segment{text: secret.New(text[:at-1] + "${")})
			text = text[at+2:]
			continue
		}
		v.segments = append(v.segments, segment{text: secret.New(text[:at])})
		reference, rest, closed := strings.Cut(text[at+2:], "}")
		if !closed {
			return v, errors.New("${ without }; write ${NAME}, ${file:/path}, or $${ for the characters themselves")
		}
		part, err := i.resolve(reference)
		if err != nil {
			return v, err
		}
		v.references = append(v.references, "${"+reference+"}")
		v.segments = append(v.segments, part)
		text = rest
	}
	return v, nil
}

func (i *interpolator) resolve(reference string) (segment, error) {
	if path, isFile := strings.CutPrefix(reference, "file:"); isFile {
		if path == "" {
			return segment{}, errors.New("${file:} names no file; write ${file:/path}")
		}
		return segment{file: path}, nil
	}
	if !namePattern.MatchString(reference) {
		return segment{}, errors.New("what stands in ${...} is no reference; write ${NAME}, ${file:/path}, or $${ for the characters themselves")
	}
	value, set := i.env(reference)
	if !set {
		return segment{}, fmt.Errorf("environment variable %s is not set; set it, or write $${%s} for the characters themselves", reference, reference)
	}
	return segment{text: secret.New(value)}, nil
}
