package config

import (
	"encoding"
	"errors"
	"reflect"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/seed-7b870224/sluice/internal/secret"
)

var (
	durationType = reflect.TypeFor[time.Duration]()
	secretType   = reflect.TypeFor[secret.Text]()
	sourceType   = reflect.TypeFor[Source]()
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// isScalar reports that a type is written as one YAML scalar.
func isScalar(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int64:
		return true
	}
	return isSecret(t) || reflect.PointerTo(t).Implements(textType)
}

// isSecret reports that values of the type must not be shown.
func isSecret(t reflect.Type) bool { return t == secretType || t == sourceType }

// scalar decodes one scalar, references in it replaced.
func (d *decoder) scalar(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.ScalarNode {
		d.wrong(n, path, "expected %s, got %s", expected(v.Type()), kindOf(n))
		return
	}
	parsed, err := d.refs.parse(n.Value)
	if err != nil {
		d.wrong(n, path, "%s", err)
		return
	}
	if !parsed.hasReferences() && n.Tag != wantedTag(v.Type()) {
		d.wrong(n, path, "expected %s, got %s%s", expected(v.Type()), kindOf(n), quoteHint(n, v.Type()))
		return
	}
	text, err := parsed.read(d.refs.files)
	if err != nil {
		d.wrong(n, path, "%s", err)
		return
	}
	if v.Type() == sourceType {
		v.Set(reflect.ValueOf(newSource(parsed, text)))
		return
	}
	if err := setScalar(v, text.Reveal()); err != nil {
		shown := "the value"
		if !isSecret(v.Type()) && !parsed.hasReferences() {
			shown = quoteShort(text.Reveal())
		}
		d.wrong(n, path, "%s %s", shown, err)
	}
}

// wantedTag is what YAML must take a scalar for.
func wantedTag(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Bool:
		return "!!bool"
	case t.Kind() == reflect.Int:
		return "!!int"
	}
	return "!!str"
}

// expected names a type for a person.
func expected(t reflect.Type) string {
	switch {
	case t == durationType:
		return "a duration such as 10s"
	case t == reflect.TypeFor[Rate]():
		return "a rate such as 10/s"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Int:
		return "a whole number"
	}
	return "text"
}

func quoteHint(n *yaml.Node, t reflect.Type) string {
	if expected(t) == "text" && n.Style&yaml.TaggedStyle == 0 {
		return "; put it in quotes"
	}
	return ""
}

// setScalar reads the text into v. Its error goes on from the shown value and
// does not repeat it.
func setScalar(v reflect.Value, text string) error {
	switch {
	case v.Type() == secretType:
		v.Set(reflect.ValueOf(secret.New(text)))
		return nil
	case v.Type() == durationType:
		return setDuration(v, text)
	case reflect.PointerTo(v.Type()).Implements(textType):
		return v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text))
	}
	switch v.Kind() {
	case reflect.Bool:
		set, err := strconv.ParseBool(text)
		if err != nil {
			return errors.New("is neither true nor false; write one of them")
		}
		v.SetBool(set)
	case reflect.Int:
		number, err := strconv.Atoi(text)
		if err != nil {
			return errors.New("is not a whole number; write one in digits")
		}
		v.SetInt(int64(number))
	default:
		v.SetString(text)
	}
	return nil
}

func setDuration(v reflect.Value, text string) error {
	duration, err := time.ParseDuration(text)
	if err != nil {
		return errors.New("is not a duration; write a number with a unit, such as 500ms, 10s, 15m or 168h")
	}
	v.SetInt(int64(duration))
	return nil
}
