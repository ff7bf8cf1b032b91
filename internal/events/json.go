package events

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	jsonv1 "github.com/go-json-experiment/json/v1"
)

// These few functions cut JSON that has been found valid into its parts. The
// standard decoder keeps the last of members with one name and forgets their
// order; both matter here.

// member is one member of a JSON object, its value still encoded.
type member struct {
	name  string
	value []byte
}

// validJSON reports whether data is exactly one JSON value in UTF-8.
func validJSON(data []byte) bool { return utf8.Valid(data) && jsonv1.Valid(data) }

// members cuts a valid JSON value into the members of an object, in order; false
// if it is none.
func members(value []byte) ([]member, bool) {
	at := skipSpace(value, 0)
	if value[at] != '{' {
		return nil, false
	}
	out := make([]member, 0, 12)
	for at = skipSpace(value, at+1); value[at] != '}'; {
		end := valueEnd(value, at)
		name := text(value[at:end])
		at = skipSpace(value, skipSpace(value, end)+1) // over the colon
		end = valueEnd(value, at)
		out = append(out, member{name, value[at:end]})
		if at = skipSpace(value, end); value[at] == ',' {
			at = skipSpace(value, at+1)
		}
	}
	return out, true
}

// elements cuts a valid JSON value into the elements of an array; false if it is
// none.
func elements(value []byte) ([][]byte, bool) {
	at := skipSpace(value, 0)
	if value[at] != '[' {
		return nil, false
	}
	var out [][]byte
	for at = skipSpace(value, at+1); value[at] != ']'; {
		end := valueEnd(value, at)
		out = append(out, value[at:end])
		if at = skipSpace(value, end); value[at] == ',' {
			at = skipSpace(value, at+1)
		}
	}
	return out, true
}

// text is the content of a valid JSON string.
func text(encoded []byte) string {
	if bytes.IndexByte(encoded, '\\') < 0 {
		encoded = encoded[1 : len(encoded)-1]
		if s, ok := common[string(encoded)]; ok {
			return s
		}
		return string(encoded)
	}
	var s string
	_ = json.Unmarshal(encoded, &s) // valid, hence no error
	return s
}

// common are texts that nearly every command holds: they need no memory of their own.
var common = func() map[string]string {
	all := map[string]string{}
	for _, s := range []string{
		"specversion", "1.0", "id", "source", "type", "time", "subject", "datacontenttype", "application/json", "data",
		"vendor", "account", "region", "instanceId", "clientToken", "priority",
	} {
		all[s] = s
	}
	return all
}()

func skipSpace(data []byte, at int) int {
	for at < len(data) && (data[at] == ' ' || data[at] == '\n' || data[at] == '\r' || data[at] == '\t') {
		at++
	}
	return at
}

// valueEnd is where the value that begins at the place ends.
func valueEnd(data []byte, at int) int {
	for depth := 0; at < len(data); at++ {
		switch data[at] {
		case '"':
			at = stringEnd(data, at)
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		default:
			if depth > 0 {
				continue
			}
			return literalEnd(data, at)
		}
		if depth == 0 {
			return at + 1
		}
	}
	return at
}

// stringEnd is the place of the closing quote.
func stringEnd(data []byte, at int) int {
	for at++; data[at] != '"'; at++ {
		if data[at] == '\\' {
			at++
		}
	}
	return at
}

// literalEnd is where a number, true, false or null ends.
func literalEnd(data []byte, at int) int {
	end := bytes.IndexAny(data[at:], ",]} \t\r\n")
	if end < 0 {
		return len(data)
	}
	return at + end
}
