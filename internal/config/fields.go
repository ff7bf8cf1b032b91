package config

import (
	"fmt"
	"reflect"
)

// fields lists the fields of a configuration struct that the file can set.
func fields(t reflect.Type) []reflect.StructField {
	var list []reflect.StructField
	for field := range t.Fields() {
		if name := field.Tag.Get("yaml"); name != "" && name != "-" {
			list = append(list, field)
		}
	}
	return list
}

func fieldNames(t reflect.Type) []string {
	var names []string
	for _, field := range fields(t) {
		names = append(names, field.Tag.Get("yaml"))
	}
	return names
}

func fieldByName(t reflect.Type, name string) (reflect.StructField, bool) {
	for _, field := range fields(t) {
		if field.Tag.Get("yaml") == name {
			return field, true
		}
	}
	return reflect.StructField{}, false
}

// setDefaults fills in the defaults of the tags, down to but not into lists and
// maps, whose elements get theirs when they appear.
func setDefaults(v reflect.Value) {
	if v.Kind() != reflect.Struct || isScalar(v.Type()) {
		return
	}
	for _, field := range fields(v.Type()) {
		target := v.FieldByIndex(field.Index)
		setDefaults(target)
		text, ok := field.Tag.Lookup("default")
		if !ok {
			continue
		}
		if err := setScalar(target, text); err != nil {
			// The tag is part of the program, and every test would trip over it.
			panic(fmt.Sprintf("config: the default of %s %s", field.Name, err))
		}
	}
}

// Default is the configuration of an empty file.
func Default() *Config {
	var cfg Config
	setDefaults(reflect.ValueOf(&cfg).Elem())
	return &cfg
}
