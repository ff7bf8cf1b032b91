package wire

import (
	"bytes"
	"strconv"
	"strings"
)

// String is a JSON value that is read as text whatever its type: vendors print
// the same field as a string here and as a number there. Objects, lists and null
// read as empty, so that one odd field never costs the whole answer.
type String string

// UnmarshalJSON never fails.
func (s *String) UnmarshalJSON(data []byte) error {
	*s = ""
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return nil
	}
	switch data[0] {
	case '"':
		if len(data) < 2 {
			return nil
		}
		if text, ok := plain(data); ok {
			*s = String(text)
			return nil
		}
		var text string
		if Unmarshal(data, &text) == nil {
			*s = String(text)
		}
	case '{', '[', 'n':
	default:
		*s = String(data)
	}
	return nil
}

// plain reads a JSON string that holds nothing to be decoded, as most do.
func plain(data []byte) (string, bool) {
	inside := data[1 : len(data)-1]
	for _, c := range inside {
		if c < 0x20 || c >= 0x7F || c == '\\' || c == '"' {
			return "", false
		}
	}
	return string(inside), true
}

// Int is a whole number that may come as a JSON number or as a string. Valid
// tells a zero from a value that is absent or no number.
type Int struct {
	Value int64
	Valid bool
}

// UnmarshalJSON never fails.
func (i *Int) UnmarshalJSON(data []byte) error {
	*i = Int{}
	var text String
	_ = text.UnmarshalJSON(data)
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err == nil {
		*i = Int{Value: n, Valid: true}
	}
	return nil
}
