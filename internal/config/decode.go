package config

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// decoder walks the nodes of the file and the types of the configuration side by
// side, so that the place of each value is at hand when something is wrong.
type decoder struct {
	*problems
	refs *interpolator
	// budget bounds the values visited: aliases can make a small file large.
	budget int
}

const maxValues = 100_000

func (d *decoder) spend(n *yaml.Node) bool {
	d.budget--
	if d.budget == 0 {
		d.add(d.here(n), "", "the file has over %d values, aliases included; is it a configuration?", maxValues)
	}
	return d.budget > 0
}

func (d *decoder) here(n *yaml.Node) place { return place{d.file, n.Line, n.Column} }

// wrong reports that the node cannot be the value at the path.
func (d *decoder) wrong(n *yaml.Node, path, format string, args ...any) {
	if path == "" {
		d.add(d.here(n), path, format, args...)
		return
	}
	d.add(d.here(n), path, "%s: "+format, slices.Insert(args, 0, any(path))...)
}

// value decodes a node into v. Null leaves what is there: the default.
func (d *decoder) value(n *yaml.Node, v reflect.Value, path string) {
	if !d.spend(n) {
		return
	}
	d.values[path] = d.here(n)
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch {
	case isNull(n):
	case isScalar(v.Type()):
		d.scalar(n, v, path)
	case v.Kind() == reflect.Struct:
		d.structure(n, v, path)
	case v.Kind() == reflect.Map:
		d.table(n, v, path)
	default:
		d.sequence(n, v, path)
	}
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func (d *decoder) structure(n *yaml.Node, v reflect.Value, path string) {
	known := fieldNames(v.Type())
	for _, pair := range d.pairs(n, path, 0) {
		name := pair.key.Value
		index := slices.Index(known, name)
		if index < 0 {
			d.unknownKey(pair.key, path, known)
			continue
		}
		field, _ := fieldByName(v.Type(), name)
		d.keys[join(path, name)] = d.here(pair.key)
		d.value(pair.value, v.FieldByIndex(field.Index), join(path, name))
	}
}

// unknownKey reports a key. The one that was probably meant counts as bad, so
// that it is not reported as missing as well.
func (d *decoder) unknownKey(key *yaml.Node, path string, known []string) {
	if near := nearest(key.Value, known); near != "" {
		d.bad[join(path, near)] = true
	}
	where := "here"
	if path != "" {
		where = "in " + path
	}
	d.add(d.here(key), join(path, key.Value), "unknown key %s%s; known %s: %s",
		quoteShort(key.Value), suggestion(key.Value, known), where, strings.Join(known, ", "))
}

// table decodes a mapping with free keys.
func (d *decoder) table(n *yaml.Node, v reflect.Value, path string) {
	pairs := d.pairs(n, path, 0)
	v.Set(reflect.MakeMapWithSize(v.Type(), len(pairs)))
	for _, pair := range pairs {
		at := join(path, pair.key.Value)
		d.keys[at] = d.here(pair.key)
		if isNull(pair.value) {
			d.wrong(pair.value, at, "has no value; give it one or leave the key out")
			continue
		}
		element := reflect.New(v.Type().Elem()).Elem()
		d.value(pair.value, element, at)
		v.SetMapIndex(reflect.ValueOf(pair.key.Value), element)
	}
}

func (d *decoder) sequence(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.SequenceNode {
		d.wrong(n, path, "expected a list ([a, b], or one line with - for each), got %s", kindOf(n))
		return
	}
	list := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, child := range n.Content {
		if d.budget <= 0 {
			return
		}
		at := path + "[" + strconv.Itoa(i) + "]"
		if isNull(child) {
			d.wrong(child, at, "is empty; fill it in or remove it")
			continue
		}
		setDefaults(list.Index(i))
		d.value(child, list.Index(i), at)
	}
	v.Set(list)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// kindOf is what a node is, in words that show nothing of it.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.Tag {
	case "!!str":
		return "text"
	case "!!int":
		return "a number"
	case "!!float":
		return "a number with a fraction or exponent"
	case "!!bool":
		return "true or false"
	case "!!timestamp":
		return "a date"
	case "!!null":
		return "nothing"
	}
	return "a value with a tag of its own (!)"
}

// quoteShort quotes what came from the file, cut to a readable length.
func quoteShort(s string) string {
	if len(s) > 64 {
		return strconv.Quote(s[:64]) + "..."
	}
	return strconv.Quote(s)
}
