package wire

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"
)

func TestString(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]String{
		`"text"`: "text", `""`: "", `"a\u0062"`: "ab", `12`: "12", `1.50`: "1.50", `true`: "true",
		`null`: "", `{"a":1}`: "", `[1]`: "",
	} {
		v := struct{ F String }{"before"}
		if err := json.Unmarshal([]byte(`{"F":`+in+`}`), &v); err != nil || v.F != want {
			t.Errorf("%s read as %q, %v; want %q", in, v.F, err, want)
		}
	}
}

func TestInt(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]Int{
		`7`: {7, true}, `"7"`: {7, true}, `" -7 "`: {-7, true}, `0`: {0, true},
		`"x"`: {}, `1.5`: {}, `null`: {}, `{}`: {}, `99999999999999999999`: {},
	} {
		v := struct{ F Int }{Int{9, true}}
		if err := json.Unmarshal([]byte(`{"F":`+in+`}`), &v); err != nil || v.F != want {
			t.Errorf("%s read as %+v, %v; want %+v", in, v.F, err, want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for in, want := range map[string]time.Duration{
		"": 0, "3": 3 * time.Second, " 3 ": 3 * time.Second, "0.5": 500 * time.Millisecond, "0": 0, "-1": 0,
		"soon": 0, "NaN": 0, "1e300": time.Hour, "+Inf": time.Hour, "86400": time.Hour,
		"Fri, 02 Jan 2026 03:04:35 GMT": 30 * time.Second,
		"Fri, 02 Jan 2026 03:04:00 GMT": 0,
		"Sat, 02 Jan 2027 03:04:00 GMT": time.Hour,
	} {
		if got := RetryAfter(http.Header{"Retry-After": {in}}, now); got != want {
			t.Errorf("RetryAfter(%q) = %v, want %v", in, got, want)
		}
	}
	if RetryAfter(nil, now) != 0 {
		t.Error("no header must give no wait")
	}
}

func FuzzLoose(f *testing.F) {
	for _, s := range []string{`{"S":1,"I":"2"}`, `{"S":null}`, `{"I":{}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		var v struct {
			S String
			I Int
		}
		_ = json.Unmarshal(data, &v)
		_ = v.S.UnmarshalJSON(data)
		_ = v.I.UnmarshalJSON(data)
	})
}
