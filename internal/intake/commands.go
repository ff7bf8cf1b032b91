package intake

import (
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
)

const (
	structuredType = "application/cloudevents+json"
	batchType      = "application/cloudevents-batch+json"
)

// commands answers POST /v1/commands.
func (h *Handler) commands(r *http.Request, c *client) ([]stored, *problem) {
	members, p := h.read(r)
	var orders []order
	now := time.Now()
	late := addition{trace: traceOf(r.Header)}
	for i := 0; p == nil && i < len(members); i++ {
		var o order
		if bad := members[i].Err; bad != nil {
			p = undecodable(bad).at(i)
		} else if o, p = h.admit(c, members[i].Envelope, late, now); p != nil {
			p.at(i)
		}
		orders = append(orders, o)
	}
	if p != nil {
		h.count(c, len(members), p)
		return nil, p
	}
	out, p := h.publish(r.Context(), c, orders)
	if p != nil {
		h.metrics.Events.WithLabelValues(c.Name, outcomeUnavailable).Add(float64(len(orders)))
		return nil, p
	}
	h.metrics.Events.WithLabelValues(c.Name, outcomeAccepted).Add(float64(len(orders)))
	for _, o := range orders {
		h.log.Debug("command taken", "publisher", c.Name, "id", o.command.Event.ID, "account", o.command.Account, "operation", o.command.Operation, "instance", o.command.InstanceID)
	}
	return out, nil
}

// count counts the events of a request that is refused for one of them.
func (h *Handler) count(c *client, members int, p *problem) {
	h.metrics.Events.WithLabelValues(c.Name, p.outcome).Inc()
	if members > 1 {
		h.metrics.Events.WithLabelValues(c.Name, outcomeWithheld).Add(float64(members - 1))
	}
}

// read takes the events out of the request.
func (h *Handler) read(r *http.Request) ([]events.BatchItem, *problem) {
	media, p := mediaTypeOf(r.Header)
	if p != nil {
		return nil, p
	}
	data, p := body(r)
	if p != nil {
		return nil, p
	}
	if media == batchType {
		return events.OpenMembers(data), nil
	}
	if media != structuredType && media != "" && r.Header.Get("ce-specversion") == "" {
		return nil, newProblem(http.StatusBadRequest, events.ReasonInvalidEvent,
			"the header ce-specversion is missing: this is no event in binary mode; for structured mode send Content-Type: "+structuredType).at(0)
	}
	env, err := events.Open(r.Header, data)
	item := events.BatchItem{Envelope: env, Raw: data}
	if err != nil && !errors.As(err, &item.Err) {
		return nil, newProblem(http.StatusBadRequest, events.ReasonInvalidEvent, err.Error()).at(0)
	}
	return []events.BatchItem{item}, nil
}

// mediaTypeOf tells the three modes apart and refuses what is in none. Without a
// content type the event speaks for itself.
func mediaTypeOf(header http.Header) (string, *problem) {
	value := header.Get("Content-Type")
	if value == "" {
		return "", nil
	}
	media, _, err := mime.ParseMediaType(value)
	format := strings.HasPrefix(media, "application/cloudevents") // another than JSON
	switch {
	case err != nil:
	case media == batchType, media == structuredType:
		return media, nil
	case media == "application/cloudevents": // JSON is its default format
		return structuredType, nil
	case !format && (media == "application/json" || media == "text/json" || strings.HasSuffix(media, "+json")):
		return media, nil
	}
	return "", newProblem(http.StatusUnsupportedMediaType, "", "send "+structuredType+", "+batchType+
		", or application/json with the event's attributes in ce- headers")
}
