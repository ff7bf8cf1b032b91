package main

import (
	"bytes"
	"testing"
)

func TestTable(t *testing.T) {
	t.Parallel()
	tab := &table{header: []string{"NAME", "STATUS", "NOTE"}}
	tab.row("a", "failed", "x\x1b[2J\ny")
	tab.row("größe", "", "z")
	tab.row("缓存", "succeeded")
	for color, want := range map[bool]string{
		false: "NAME   STATUS     NOTE\n" + "a      failed     x [2J y\n" + "größe             z\n" + "缓存   succeeded\n",
		true:  "NAME   STATUS     NOTE\n" + "a      \x1b[31mfailed\x1b[0m     x [2J y\n" + "größe             z\n" + "缓存   \x1b[32msucceeded\x1b[0m\n",
	} {
		var out bytes.Buffer
		tab.print(&out, color)
		if out.String() != want {
			t.Errorf("color %t:\n%q\nwant\n%q", color, out.String(), want)
		}
	}
}

func TestNoColorsOffTerminals(t *testing.T) {
	t.Parallel()
	if colorOn(&bytes.Buffer{}) {
		t.Error("a buffer is taken for a terminal")
	}
	if got := statusColor("failed", false); got != "failed" {
		t.Errorf("got %q", got)
	}
}

func TestProgressIsOneLine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &progress{w: &out, on: true}
	p.show("%d of 2", 1)
	p.show("%d of 2", 2)
	p.clear()
	p.clear()
	if want := "\r\x1b[K1 of 2\r\x1b[K2 of 2\r\x1b[K"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	out.Reset()
	silent := newProgress(&out)
	silent.show("x")
	silent.clear()
	if out.Len() > 0 {
		t.Errorf("off a terminal: %q", out.String())
	}
}
