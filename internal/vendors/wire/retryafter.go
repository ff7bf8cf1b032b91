package wire

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds what a vendor may ask for: a slip of its clock or its
// units must not park a queue for a year.
const maxRetryAfter = time.Hour

// RetryAfter reads the Retry-After header, in seconds or as a date. It gives
// zero where there is none or it makes no sense, and an hour at most.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		switch {
		case seconds > maxRetryAfter.Seconds():
			return maxRetryAfter
		case seconds > 0:
			return time.Duration(seconds * float64(time.Second))
		}
		return 0
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}
