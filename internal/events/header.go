package events

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// headerAttributes reads the ce- headers, whatever their case.
func headerAttributes(header map[string][]string) (map[string]string, *Undecodable) {
	out := make(map[string]string, len(header))
	for key, values := range header {
		if len(key) < 4 || !strings.EqualFold(key[:3], "ce-") {
			continue
		}
		name := strings.ToLower(key[3:])
		for _, value := range values {
			value = unescape(value)
			if !utf8.ValidString(value) {
				return nil, undecodable("header %s is not UTF-8", quote("ce-"+name))
			}
			if before, ok := out[name]; ok && before != value {
				return nil, undecodable("header %s is given twice", quote("ce-"+name))
			}
			out[name] = value
		}
	}
	return out, nil
}

// headerValue finds a header in any case; of several that differ in case only,
// the one that sorts first, so that the answer is always the same.
func headerValue(header map[string][]string, name string) string {
	found, value := "", ""
	for key, values := range header {
		if len(values) > 0 && strings.EqualFold(key, name) && (found == "" || key < found) {
			found, value = key, values[0]
		}
	}
	return value
}

// unescape undoes quoting and percent-encoding of a header's value. Some
// publishers encode nothing (the published NATS binding of the Go SDK for one):
// what is no valid encoding is taken as it stands.
func unescape(value string) string {
	value = strings.TrimSpace(value)
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		value = unquote(value[1 : len(value)-1])
	}
	if !strings.Contains(value, "%") {
		return value
	}
	plain, err := url.PathUnescape(value)
	if err != nil {
		return value
	}
	return plain
}

// unquote resolves the backslashes of a quoted string (RFC 7230, 3.2.6).
func unquote(value string) string {
	if !strings.Contains(value, `\`) {
		return value
	}
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		if value[i] == '\\' && i+1 < len(value) {
			i++
		}
		b.WriteByte(value[i])
	}
	return b.String()
}

// escape percent-encodes a header's value as the CloudEvents bindings say:
// everything outside printable ASCII, and space, quote and percent sign.
func escape(value string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(value) {
		if c <= ' ' || c >= 0x7F || c == '"' || c == '%' {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
