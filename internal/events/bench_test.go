package events

import (
	"testing"
	"time"
)

const ordinary = `{"specversion":"1.0","id":"6d4f7b1e-2f6e-4d0a-9d5e-0a4f3a1c2b11","source":"/alerting/redis","type":"dev.sluice.command.restart.v1",` +
	`"subject":"redis-cnlf0123456789abc","time":"2026-03-04T05:06:07.123Z","datacontenttype":"application/json",` +
	`"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",` +
	`"data":{"clientToken":"restart-2026-03-04-redis-cnlf0123456789abc","vendor":"volcengine","account":"prod",` +
	`"region":"cn-beijing","instanceId":"redis-cnlf0123456789abc","priority":"urgent"}}`

func BenchmarkOpenAndParse(b *testing.B) {
	received := time.Date(2026, 3, 4, 5, 6, 8, 0, time.UTC)
	data := []byte(ordinary)
	b.ReportAllocs()
	for b.Loop() {
		env, err := Open(nil, data)
		if err != nil {
			b.Fatal(err)
		}
		if _, why := Parse(env, received); why != nil {
			b.Fatal(why)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	received := time.Date(2026, 3, 4, 5, 6, 8, 0, time.UTC)
	env, err := Open(nil, []byte(ordinary))
	if err != nil {
		b.Fatal(err)
	}
	c, _ := Parse(env, received)
	r := c.NewResult(Succeeded)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Encode(Subjects{Prefix: "sluice"}, c, r, false, received); err != nil {
			b.Fatal(err)
		}
	}
}
