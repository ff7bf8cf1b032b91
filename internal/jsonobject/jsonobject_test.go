package jsonobject

import (
	"encoding/json"
	"testing"
	"time"
)

func TestObject(t *testing.T) {
	t.Parallel()
	o := Begin([]byte("before "))
	o.Text("text", `a<"b\`+"\n\x00\u2028é\xff")
	o.Text("none", "")
	o.Word("word", "w")
	o.Word("left out", "")
	o.Bool("no", false)
	o.Flag("yes", true)
	o.Flag("left out", false)
	o.Int("int", -1)
	o.Uint("uint", 1<<63)
	o.Moment("moment", time.Time{}, time.DateOnly)
	o.Time("time", time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC))
	o.Time("left out", time.Time{})
	o.Raw("raw", json.RawMessage(`[1]`))
	o.Raw("null", nil)
	o.Optional("optional", json.RawMessage(`{}`))
	o.Optional("left out", nil)
	o.Append("inside", func(b []byte) []byte { return Begin(b).End() })
	const want = `before {"text":"a<\"b\\\n\u0000\u2028é\ufffd","none":"","word":"w","no":false,"yes":true,"int":-1,"uint":9223372036854775808,` +
		`"moment":"0001-01-01","time":"2026-01-02T03:04:05.000006Z","raw":[1],"null":null,"optional":{},"inside":{}}`
	if got := string(o.End()); got != want {
		t.Errorf("written\n%s, want\n%s", got, want)
	}
}
