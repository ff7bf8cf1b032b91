package intake

import (
	"net/http"
	"os"
	"regexp"
	"testing"
)

// The curl calls of docs/feeding.md are accepted as they stand.
func TestCurlExamples(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/feeding.md")
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, nil)
	examples := regexp.MustCompile("(?s)```sh\ncurl (.*?)```").FindAllSubmatch(text, -1)
	for _, example := range examples {
		call := string(example[1])
		var headers []string
		for _, h := range regexp.MustCompile(`-H '([^:]+): ([^']*)'`).FindAllStringSubmatch(call, -1) {
			headers = append(headers, h[1], h[2])
		}
		body := regexp.MustCompile(`(?s)-d '(.*?)'`).FindStringSubmatch(call)
		path := regexp.MustCompile(`https://[^/]+(/\S*)`).FindStringSubmatch(call)
		if body == nil || path == nil {
			t.Fatalf("the example has no body or address:\n%s", call)
		}
		if a := r.post(path[1], body[1], headers...); a.code != http.StatusAccepted {
			t.Errorf("%d %s to\n%s", a.code, a.body, call)
		}
	}
	if n := r.total(); len(examples) != 3 || n != 4 {
		t.Errorf("%d examples, %d commands stored", len(examples), n)
	}
}
