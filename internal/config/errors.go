package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake and its place.
type Problem struct {
	// File is the configuration file, or the variable or flag that is wrong.
	File string
	// Line and Column count from 1; they are 0 outside a file.
	Line, Column int
	// Message says what is wrong and what would be right, without secrets.
	Message string
}

// Error is FILE:LINE:COL: message.
func (p Problem) Error() string {
	if p.Line == 0 {
		return p.File + ": " + p.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}

// Errors is every mistake of a configuration, in the order of the file.
type Errors []Problem

// Error is all mistakes, one a line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, problem := range e {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives each mistake to errors.As.
func (e Errors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, problem := range e {
		errs[i] = problem
	}
	return errs
}

// maxProblems bounds the report on a file that is something else altogether.
const maxProblems = 1000

// place is where a value was written.
type place struct {
	file         string
	line, column int
}

// problems collects mistakes and knows the place of every value by its path
// (accounts[0].regions[1]).
type problems struct {
	file   string
	list   Errors
	values map[string]place
	keys   map[string]place
	bad    map[string]bool
}

func newProblems(file string) *problems {
	return &problems{file: file, values: map[string]place{}, keys: map[string]place{}, bad: map[string]bool{}}
}

// add reports a mistake at a place and marks the path, so that what follows from
// it is not reported as well.
func (p *problems) add(at place, path, format string, args ...any) {
	if len(p.list) >= maxProblems {
		return
	}
	p.bad[path] = true
	p.list = append(p.list, Problem{File: at.file, Line: at.line, Column: at.column, Message: fmt.Sprintf(format, args...)})
}

// at reports a mistake in the value at the path, or at the nearest value around
// it if it was left out.
func (p *problems) at(path, format string, args ...any) {
	if !p.isBad(path) {
		p.add(p.placeOf(p.values, path), path, "%s: %s", path, fmt.Sprintf(format, args...))
	}
}

// atKey reports a mistake in the key that the path ends with.
func (p *problems) atKey(path, format string, args ...any) {
	if !p.isBad(path) {
		p.add(p.placeOf(p.keys, path), path, "%s: %s", path, fmt.Sprintf(format, args...))
	}
}

// isBad reports a mistake already known at, above or below the path, or so many
// that no more are wanted.
func (p *problems) isBad(path string) bool {
	if len(p.list) >= maxProblems {
		return true
	}
	for bad := range p.bad {
		if within(bad, path) || within(path, bad) {
			return true
		}
	}
	return false
}

// within reports that the path is the outer one or lies below it.
func within(path, outer string) bool {
	rest, found := strings.CutPrefix(path, outer)
	return found && (outer == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
}

func (p *problems) placeOf(known map[string]place, path string) place {
	for {
		if at, ok := known[path]; ok {
			return at
		}
		if at, ok := p.values[path]; ok {
			return at
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			return place{file: p.file, line: 1, column: 1}
		}
		path = path[:cut]
	}
}

// err is all mistakes in the order of the file, those of the environment and of
// flags last; nil if there are none.
func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	slices.SortStableFunc(p.list, func(a, b Problem) int {
		if inFile := cmp.Compare(min(b.Line, 1), min(a.Line, 1)); inFile != 0 {
			return inFile
		}
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return p.list
}
