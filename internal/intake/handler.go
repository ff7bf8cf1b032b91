package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// logEvery is how often one kind of refusal is logged.
const logEvery = 10 * time.Second

// Handler answers the requests of the intake.
type Handler struct {
	opts    Options
	limits  Limits
	clients []*client
	routes  map[string]*Route
	metrics *Metrics
	log     *slog.Logger
	// strangers and limited keep what anybody can repeat from filling the log.
	strangers, limited rate.Sometimes
}

// New makes a handler.
func New(o Options) *Handler {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	h := &Handler{opts: o, limits: o.Limits.withDefaults(), routes: map[string]*Route{}, metrics: o.Metrics, log: o.Logger,
		strangers: rate.Sometimes{Interval: logEvery}, limited: rate.Sometimes{Interval: logEvery}}
	for _, c := range o.Clients {
		h.clients = append(h.clients, newClient(c, h.limits))
	}
	for i := range o.Routes {
		h.routes[o.Routes[i].Name] = &o.Routes[i]
	}
	h.metrics.show(o)
	return h
}

const (
	commandsPath     = "/v1/commands"
	alertmanagerPath = "/v1/alertmanager/"
)

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	endpoint, answer := endpointOther, h.nothing
	switch {
	case r.URL.Path == commandsPath:
		endpoint, answer = endpointCommands, h.commands
	case strings.HasPrefix(r.URL.Path, alertmanagerPath):
		endpoint, answer = endpointAlertmanager, h.alertmanager
	}
	code := http.StatusAccepted
	if stored, p := h.answer(w, r, answer); p != nil {
		code = p.Status
		p.write(w)
	} else {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		writeJSON(w, stored)
	}
	h.metrics.answered(endpoint, code, time.Since(began))
}

// endpoint does what a request of a known client asks for.
type endpoint func(r *http.Request, c *client) ([]stored, *problem)

// answer does what is the same for all endpoints. Nothing of the body is read for
// those who may not ask.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, do endpoint) ([]stored, *problem) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return nil, newProblem(http.StatusMethodNotAllowed, "", "the intake takes POST only")
	}
	c := h.identify(r)
	if c == nil {
		h.strangers.Do(func() {
			h.log.Warn("a request to the intake by nobody known; more of them are not logged for a while", "path", r.URL.Path, "from", r.RemoteAddr)
		})
		return nil, unauthorized(w, r)
	}
	done, p := c.turn(r.Context(), h.limits)
	if p != nil {
		h.limited.Do(func() {
			h.log.Warn("requests to the intake over a publisher's limits", "publisher", c.Name, "detail", p.Detail)
		})
		return nil, h.retried(r, p)
	}
	defer done()
	r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
	out, p := do(r, c)
	if p != nil {
		h.log.Warn("intake request not done", "publisher", c.Name, "path", r.URL.Path, "status", p.Status, "code", p.Code, "detail", p.Detail)
	}
	return out, p
}

// retried makes a refusal for now one that Alertmanager repeats: it takes 429 for
// final.
func (h *Handler) retried(r *http.Request, p *problem) *problem {
	if strings.HasPrefix(r.URL.Path, alertmanagerPath) {
		p.Status, p.Title = http.StatusServiceUnavailable, http.StatusText(http.StatusServiceUnavailable)
	}
	return p
}

func (h *Handler) nothing(r *http.Request, _ *client) ([]stored, *problem) {
	return nil, newProblem(http.StatusNotFound, "", fmt.Sprintf("there is nothing at %s; the intake has %s and %s<name>", r.URL.Path, commandsPath, alertmanagerPath))
}

// body reads the whole body.
func body(r *http.Request) ([]byte, *problem) {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, newProblem(http.StatusUnsupportedMediaType, "", "the body is encoded; send it as it is")
	}
	data, err := io.ReadAll(r.Body)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, newProblem(http.StatusRequestEntityTooLarge, codeTooLarge, "the body is over 1 MiB; send smaller batches")
	case err != nil:
		return nil, newProblem(http.StatusBadRequest, "", "the body did not arrive whole")
	}
	return data, nil
}

// bound is the time in which the commands of a request must be stored.
func (h *Handler) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, h.limits.Publish)
}
