package emulator

import (
	"fmt"
	"net/http"
)

// spoiled is the answer that a fault puts in the place of the vendor's.
func (s *Server) spoiled(x *exchange, f *Fault) *answer {
	a := s.spoiledBody(x, f)
	if a != nil && f.RetryAfter != "" {
		a.header.Set("Retry-After", f.RetryAfter)
	}
	return a
}

func (s *Server) spoiledBody(x *exchange, f *Fault) *answer {
	switch f.Kind {
	case FaultStatusBefore:
		return intermediary(f, http.StatusBadGateway)
	case FaultStatusAfter:
		return intermediary(f, http.StatusGatewayTimeout)
	case FaultErrorBefore, FaultErrorAfter:
		return x.cloud.refuse(x, &refusal{f.Status, f.Code, orText(f.Message, "Injected by a fault.")})
	case FaultGarbageBefore, FaultGarbageAfter:
		return newAnswer(http.StatusOK, "application/json", []byte(orText(f.Body, `{"Response":{"TaskId":69`)))
	case FaultEmptyBefore, FaultEmptyAfter:
		return newAnswer(http.StatusOK, "application/json", nil)
	case FaultThrottle:
		a := s.throttle(x)
		x.outcome = string(FaultThrottle)
		return a
	case FaultRedirect:
		a := newAnswer(http.StatusTemporaryRedirect, "text/plain", nil)
		a.header.Set("Location", orText(f.Location, redirectedPath))
		return a
	}
	return nil // the drops
}

// intermediary answers as a gateway in between would, or with the given body.
func intermediary(f *Fault, status int) *answer {
	if f.Status != 0 {
		status = f.Status
	}
	if f.Body != "" {
		kind := "text/html"
		if f.Body[0] == '{' {
			kind = "application/json"
		}
		return newAnswer(status, kind, []byte(f.Body))
	}
	page := fmt.Sprintf("<html><head><title>%d %s</title></head><body>nginx</body></html>\n", status, http.StatusText(status))
	return newAnswer(status, "text/html", []byte(page))
}

func orText(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}
