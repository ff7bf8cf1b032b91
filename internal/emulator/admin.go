package emulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const (
	adminPrefix    = "/_emulator/"
	redirectedPath = adminPrefix + "redirected"
)

// adminRoute is one administrative request.
type adminRoute struct {
	method, path string
	help         string
	do           func(*Server, adminRequest) (any, error)
}

// adminRequest is what an administrative request says.
type adminRequest struct {
	query url.Values
	rest  []string // of a path that ends in /
	body  []byte
}

func adminRoutes() []adminRoute {
	return []adminRoute{
		{"GET", "calls", "recorded calls, oldest first; ?vendor= &action= &instance= &mutations=true &limit=", adminCalls},
		{"DELETE", "calls", "forgets calls and pace", adminClearCalls},
		{"GET", "pace", "calls per sliding second, by vendor, key, region and action; ?vendor=", adminPace},
		{"GET", "effects", "what took effect, by instance and operation, and violations; ?instance=", adminEffects},
		{"GET", "faults", "the faults that are set", adminFaults},
		{"POST", "faults", "sets a fault; answers its id", adminSetFault},
		{"DELETE", "faults", "clears all faults, or ?id=", adminClearFaults},
		{"GET", "settings", "quirks, transitions, quotas", adminSettings},
		{"PUT", "settings", "changes the settings that are given and keeps the others", adminSetSettings},
		{"PUT", "instances/", "{vendor}/{id}: replaces the settings of an instance", adminSetInstance},
		{"DELETE", "", "resets everything", adminReset},
	}
}

// administrate answers requests below /_emulator/.
func (s *Server) administrate(w http.ResponseWriter, r *http.Request, body []byte) {
	path := strings.TrimPrefix(r.URL.Path, adminPrefix)
	switch {
	case path == "" && r.Method == http.MethodGet:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(helpText()))
		return
	case r.URL.Path == redirectedPath:
		s.redirected(w, r)
		return
	}
	known := false
	for _, rt := range adminRoutes() {
		rest, ok := rt.match(path)
		known = known || ok
		if ok && rt.method == r.Method {
			s.adminAnswer(w, rt, adminRequest{r.URL.Query(), rest, body})
			return
		}
	}
	if known {
		adminError(w, http.StatusMethodNotAllowed, fmt.Errorf("%s is not possible here; see GET %s", r.Method, adminPrefix))
		return
	}
	adminError(w, http.StatusNotFound, fmt.Errorf("there is no %s; see GET %s", r.URL.Path, adminPrefix))
}

// match compares a path; one that ends in a slash takes more segments.
func (rt adminRoute) match(path string) ([]string, bool) {
	if rt.path == "" || !strings.HasSuffix(rt.path, "/") {
		return nil, path == rt.path
	}
	rest, ok := strings.CutPrefix(path, rt.path)
	return strings.Split(rest, "/"), ok
}

func (s *Server) adminAnswer(w http.ResponseWriter, rt adminRoute, req adminRequest) {
	result, err := rt.do(s, req)
	if err != nil {
		adminError(w, http.StatusBadRequest, err)
		return
	}
	adminJSON(w, http.StatusOK, result)
}

func adminError(w http.ResponseWriter, status int, err error) {
	adminJSON(w, status, map[string]string{"error": err.Error()})
}

func adminJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	_ = enc.Encode(v)
}

// redirected records that a client followed a redirect, which none should.
func (s *Server) redirected(w http.ResponseWriter, r *http.Request) {
	s.calls.open(&Call{
		Time: s.opts.Now(), Action: "redirected", Outcome: r.Method + " followed a redirect",
		HTTPStatus: http.StatusOK, RequestID: newRequestID(),
	})
	adminJSON(w, http.StatusOK, struct{}{})
}

// only refuses query parameters that nobody reads.
func (q adminRequest) only(names ...string) error {
	for name := range q.query {
		ok := false
		for _, n := range names {
			ok = ok || n == name
		}
		if !ok {
			return fmt.Errorf("unknown parameter %q; known: %s", name, strings.Join(names, ", "))
		}
	}
	return nil
}

func adminCalls(s *Server, q adminRequest) (any, error) {
	if err := q.only("vendor", "action", "instance", "mutations", "limit"); err != nil {
		return nil, err
	}
	f := Filter{Vendor: Vendor(q.query.Get("vendor")), Action: q.query.Get("action"), Instance: q.query.Get("instance")}
	var err error
	if text := q.query.Get("mutations"); text != "" {
		if f.Mutations, err = strconv.ParseBool(text); err != nil {
			return nil, fmt.Errorf("mutations=%s: want true or false", text)
		}
	}
	if text := q.query.Get("limit"); text != "" {
		if f.Limit, err = strconv.Atoi(text); err != nil || f.Limit < 1 {
			return nil, fmt.Errorf("limit=%s: want a number above 0", text)
		}
	}
	return map[string]any{"calls": s.Calls(f)}, nil
}

func adminClearCalls(s *Server, q adminRequest) (any, error) {
	if err := q.only(); err != nil {
		return nil, err
	}
	s.ClearCalls()
	return struct{}{}, nil
}

func adminPace(s *Server, q adminRequest) (any, error) {
	if err := q.only("vendor"); err != nil {
		return nil, err
	}
	out := []Pace{}
	for _, p := range s.Paces() {
		if v := q.query.Get("vendor"); v == "" || p.Vendor == Vendor(v) {
			out = append(out, p)
		}
	}
	return map[string]any{"pace": out}, nil
}

func adminEffects(s *Server, q adminRequest) (any, error) {
	if err := q.only("instance"); err != nil {
		return nil, err
	}
	report := s.Effects()
	id := q.query.Get("instance")
	if id == "" {
		return report, nil
	}
	picked := []EffectCount{}
	for _, e := range report.Effects {
		if e.Instance == id {
			picked = append(picked, e)
		}
	}
	report.Effects = picked
	return report, nil
}
