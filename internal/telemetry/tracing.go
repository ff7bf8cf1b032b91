package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Tracing sends spans to an OpenTelemetry collector, over HTTP, in the background.
// What the collector does not take in time is dropped.
type Tracing struct {
	provider *sdktrace.TracerProvider
	tracer   *Tracer
}

// StartTracing begins as the standard OTEL_ variables say, which getenv reads and the
// SDK takes from the process. Without them it returns nil: nothing is made, nothing
// runs. Instance is unique to this process.
func StartTracing(ctx context.Context, version, instance string, getenv func(string) string, log *slog.Logger) (*Tracing, error) {
	env := otelEnv(getenv)
	on, err := env.wanted()
	if err != nil || !on {
		return nil, err
	}
	// The SDK's own log repeats malformed values of variables, headers included.
	otel.SetLogger(logr.FromSlogHandler(messagesOnly{log.Handler()}))
	otel.SetErrorHandler(&complaints{log: log, secrets: env.secrets()})
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	about, err := describe(ctx, env, version, instance)
	if err != nil {
		return nil, err
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about), sdktrace.WithIDGenerator(ids{}))
	log.Info("traces are sent", "service", env.serviceName(), "to", env.shownEndpoint())
	return &Tracing{provider: provider, tracer: NewTracer(provider)}, nil
}

// describe is what every span says of its process.
func describe(ctx context.Context, env otelEnv, version, instance string) (*resource.Resource, error) {
	about, err := resource.New(ctx,
		resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.version", version), attribute.String("service.instance.id", instance)),
		resource.WithFromEnv(),
		resource.WithAttributes(attribute.String("service.name", env.serviceName())),
	)
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w; write key=value,key=value with values percent-encoded", err)
	}
	return about, nil
}

// Tracer makes the spans.
func (t *Tracing) Tracer() *Tracer { return t.tracer }

// Stop sends what is left, for at most limit.
func (t *Tracing) Stop(limit time.Duration, log *slog.Logger) {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		log.Warn("the last traces were not sent: the collector does not take them", "waited", limit)
	}
}
