package config

import (
	"fmt"
	"io"
	"reflect"
	"strings"
)

// Field is one setting, for the reference documentation.
type Field struct {
	// Path in the file: accounts[].projects.<region>.
	Path string
	// Type in words; Default as it would be written, empty if there is none.
	Type    string
	Default string
	// Env is the variable that sets it, Flag the flag; empty where there is none.
	Env         string
	Flag        string
	Description string
}

// Reference lists every setting in the order of the file.
func Reference() []Field {
	var list []Field
	collect(&list, reflect.TypeFor[Config](), "", false)
	return list
}

// collect adds the settings of a struct. Within lists nothing can be set from
// outside.
func collect(list *[]Field, t reflect.Type, path string, inList bool) {
	for _, field := range fields(t) {
		at := join(path, field.Tag.Get("yaml"))
		switch {
		case field.Type.Kind() == reflect.Struct && !isScalar(field.Type):
			collect(list, field.Type, at, inList)
		case field.Type.Kind() == reflect.Slice && field.Type.Elem().Kind() == reflect.Struct:
			collect(list, field.Type.Elem(), at+"[]", true)
		default:
			*list = append(*list, describe(field, at, inList))
		}
	}
}

func describe(field reflect.StructField, path string, inList bool) Field {
	described := Field{
		Path:        path,
		Type:        typeName(field.Type),
		Default:     field.Tag.Get("default"),
		Description: field.Tag.Get("doc"),
	}
	if key := field.Tag.Get("key"); key != "" {
		described.Path += ".<" + key + ">"
		described.Type = typeName(field.Type.Elem())
	}
	if !inList && isScalar(field.Type) {
		described.Env = envNames(path)[0]
		if flag := field.Tag.Get("flag"); flag != "" {
			described.Flag = "--" + flag
		}
	}
	return described
}

// typeName names a type for a reader of the reference.
func typeName(t reflect.Type) string {
	switch {
	case isSecret(t):
		return "secret"
	case t == durationType:
		return "duration"
	case t == reflect.TypeFor[Rate]():
		return "rate"
	case t == reflect.TypeFor[Sync]():
		return "always or duration"
	case t == reflect.TypeFor[Template]():
		return "template"
	}
	switch t.Kind() {
	case reflect.Slice:
		return "list of " + typeName(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "whole number"
	}
	return "text"
}

const referenceHead = `# Configuration reference

Generated from the program; do not edit. One YAML file, read strictly: an unknown key, a wrong type or a
missing variable is an error with its place, and ` + "`consumer check`" + ` finds them all without starting anything.

- Flags go before the environment, the environment before the file, the file before the defaults.
- A setting outside lists can be set by the environment: its path in capitals, dots as underscores. The words of
  a name may be parted as well (` + "`SLUICE_NATS_CREDENTIALSFILE`" + ` or ` + "`SLUICE_NATS_CREDENTIALS_FILE`" + `). An empty variable counts
  as unset. The value is taken as it is. Other variables that begin with ` + "`SLUICE_`" + ` are ignored, with a warning.
- In any value ` + "`${NAME}`" + ` takes an environment variable and ` + "`${file:/path}`" + ` a file's content, one trailing newline
  cut; ` + "`$${`" + ` stands for the characters ` + "`${`" + `. Within ` + "`{ }`" + ` and ` + "`[ ]`" + ` put quotes around such a value. What stands in
  the place of a reference is not looked at for references again.
- Credentials that come from files are read again when the files change.
- Durations are written as ` + "`500ms`" + `, ` + "`10s`" + `, ` + "`15m`" + ` or ` + "`168h`" + ` and are above zero. Rates are written as ` + "`10/s`" + ` or ` + "`300/m`" + `.
- A key without a value keeps its default. Anchors, aliases and merge keys (` + "`<<`" + `) work.
`

// Markdown is the reference as a document.
func Markdown() string {
	var out strings.Builder
	out.WriteString(referenceHead)
	section := ""
	for _, field := range Reference() {
		if top := topLevel(field.Path); top != section {
			section = top
			fmt.Fprintf(&out, "\n## %s\n\n| setting | type | default | environment, flag | |\n| --- | --- | --- | --- | --- |\n", section)
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s |\n", code(field.Path), field.Type, code(field.Default),
			strings.TrimSuffix(code(field.Env)+", "+code(field.Flag), ", "), field.Description)
	}
	return out.String()
}

// WriteReference writes the reference as a document.
func WriteReference(w io.Writer) error {
	_, err := io.WriteString(w, Markdown())
	return err
}

func topLevel(path string) string {
	top, _, _ := strings.Cut(path, ".")
	return strings.TrimSuffix(top, "[]")
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}
