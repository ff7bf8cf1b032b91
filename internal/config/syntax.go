package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds the configuration file.
const maxFile = 1 << 20

// parseYAML reads the one document of a file. It returns nil for an empty one,
// and also where it reported a mistake.
func parseYAML(p *problems, data []byte) *yaml.Node {
	if len(data) > maxFile {
		p.add(place{p.file, 1, 1}, "", "the file is over %d bytes; is it a configuration?", maxFile)
		return nil
	}
	if at := badByte(data); at >= 0 {
		p.add(placeOfByte(p.file, data, at), "", "the file is not UTF-8 text; save it as UTF-8 without control characters")
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	document, err := nextDocument(decoder)
	if err == nil {
		var second *yaml.Node
		if second, err = nextDocument(decoder); second != nil {
			p.add(place{p.file, second.Line, second.Column}, "", "a second YAML document begins here; keep everything in one")
			return nil
		}
	}
	if err != nil {
		at, message := syntaxError(p.file, data, err)
		p.add(at, "", "%s", message)
		return nil
	}
	if document == nil {
		return nil
	}
	return document.Content[0]
}

// nextDocument reads one document, nil at the end. The parser is not trusted
// with odd input: its panic is an error too.
func nextDocument(decoder *yaml.Decoder) (document *yaml.Node, err error) {
	defer func() {
		if recover() != nil {
			document, err = nil, errors.New("yaml: this is no YAML")
		}
	}()
	var node yaml.Node
	err = decoder.Decode(&node)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil || len(node.Content) == 0 {
		return nil, err
	}
	return &node, nil
}

// badByte finds the first byte that cannot be part of a YAML text.
func badByte(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 || r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f {
			return i
		}
		i += size
	}
	return -1
}

func placeOfByte(file string, data []byte, at int) place {
	before := data[:at]
	start := bytes.LastIndexByte(before, '\n') + 1
	return place{file, bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[start:]) + 1}
}

var (
	linePattern   = regexp.MustCompile(`^line (\d+): `)
	anchorPattern = regexp.MustCompile(`^unknown anchor '(.*)' referenced`)
	bareReference = regexp.MustCompile(`[{\[,:]\s*\$\{`)
)

// syntaxError finds the place of a parser's mistake. The parser tells the line
// in its text only, counting from 0 in errors of its grammar and from 1 in those
// of its scanner, and leaves the first line out.
func syntaxError(file string, data []byte, err error) (place, string) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if found := linePattern.FindStringSubmatch(message); found != nil {
		line, _ = strconv.Atoi(found[1])
		message = message[len(found[0]):]
		if strings.HasPrefix(message, "did not find expected") {
			line++
		}
	}
	if found := anchorPattern.FindStringSubmatch(message); found != nil {
		if at := bytes.Index(data, []byte("*"+found[1])); at >= 0 {
			// Not named: it may be a password that begins with a star.
			return placeOfByte(file, data, at), "an alias (*) without its anchor; define the anchor (&) before, or put quotes around text that begins with *"
		}
	}
	lines := strings.Split(string(data), "\n")
	line = min(line, len(lines))
	text := lines[line-1]
	column := utf8.RuneCountInString(text) - utf8.RuneCountInString(strings.TrimLeft(text, " \t")) + 1
	return place{file, line, column}, fmt.Sprintf("not valid YAML: %s; %s", message, syntaxHint(text, message))
}

func syntaxHint(line, message string) string {
	indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	switch {
	case strings.Contains(indent, "\t"):
		return "indent with spaces, not tabs"
	case strings.Contains(message, "did not find expected ','") && bareReference.MatchString(line):
		return `within { } and [ ] put quotes around "${NAME}"`
	case strings.Contains(message, "end of stream"):
		return "close the quotes or brackets"
	case strings.Contains(message, "mapping values"):
		return "indent keys of one mapping alike, and put quotes around text with a colon"
	}
	return "check indentation, quotes and brackets around here"
}
