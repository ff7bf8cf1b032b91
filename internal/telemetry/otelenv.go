package telemetry

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
)

// otelEnv reads the standard variables of OpenTelemetry. Those that are not named here
// (samplers, limits, time-outs, certificates) are the SDK's.
type otelEnv func(string) string

// wanted reports whether traces are to be sent. Errors never hold a value that may be
// a secret.
func (get otelEnv) wanted() (bool, error) {
	if strings.EqualFold(strings.TrimSpace(get("OTEL_SDK_DISABLED")), "true") {
		return false, nil
	}
	endpoint := get.endpoint()
	switch exporter := strings.TrimSpace(get("OTEL_TRACES_EXPORTER")); exporter {
	case "none":
		return false, nil
	case "":
		if endpoint == "" {
			return false, nil
		}
	case "otlp":
	default:
		return false, fmt.Errorf("OTEL_TRACES_EXPORTER is %q; this program sends traces by otlp only: use otlp or none", exporter)
	}
	return true, get.check()
}

// check finds what the SDK would pass over in silence.
func (get otelEnv) check() error {
	protocol, name := get.first("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
	if protocol != "" && protocol != "http/protobuf" {
		return fmt.Errorf("%s is %q; this program speaks http/protobuf only: set it so and send to the collector's HTTP port (4318)", name, protocol)
	}
	if endpoint, name := get.first("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"); endpoint != "" {
		u, err := url.Parse(endpoint)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return fmt.Errorf("%s is no URL of a collector; write one such as http://collector:4318", name)
		}
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"} {
		if n := malformed(get(name)); n > 0 {
			return fmt.Errorf("%s: part %d is not key=value; write key=value,key=value with values percent-encoded", name, n)
		}
	}
	return nil
}

// malformed is the number of the first part of a list of headers that is none; 0 if
// all are well.
func malformed(list string) int {
	if strings.TrimSpace(list) == "" {
		return 0
	}
	for i, part := range strings.Split(list, ",") {
		key, value, ok := strings.Cut(part, "=")
		if _, err := url.PathUnescape(value); !ok || strings.TrimSpace(key) == "" || err != nil {
			return i + 1
		}
	}
	return 0
}

// first is the first of the variables that is set, and its name.
func (get otelEnv) first(names ...string) (value, name string) {
	for _, name := range names {
		if v := strings.TrimSpace(get(name)); v != "" {
			return v, name
		}
	}
	return "", ""
}

func (get otelEnv) endpoint() string {
	endpoint, _ := get.first("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
	return endpoint
}

// shownEndpoint is where traces go, without what a URL may hide.
func (get otelEnv) shownEndpoint() string {
	u, err := url.Parse(cmp.Or(get.endpoint(), "http://localhost:4318"))
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// serviceName is the name under which traces are found.
func (get otelEnv) serviceName() string {
	if name := strings.TrimSpace(get("OTEL_SERVICE_NAME")); name != "" {
		return name
	}
	for part := range strings.SplitSeq(get("OTEL_RESOURCE_ATTRIBUTES"), ",") {
		if key, value, _ := strings.Cut(part, "="); strings.TrimSpace(key) == "service.name" {
			if name, err := url.PathUnescape(strings.TrimSpace(value)); err == nil && name != "" {
				return name
			}
		}
	}
	return "sluice"
}

// secrets are the values that must not be printed.
func (get otelEnv) secrets() (out []string) {
	add := func(values ...string) {
		for _, v := range values {
			if len(v) > 3 {
				out = append(out, v)
			}
		}
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"} {
		for part := range strings.SplitSeq(get(name), ",") {
			_, value, _ := strings.Cut(part, "=")
			plain, _ := url.PathUnescape(value)
			add(strings.TrimSpace(value), strings.TrimSpace(plain))
			if _, credentials, ok := strings.Cut(strings.TrimSpace(plain), " "); ok { // "Bearer ..."
				add(credentials)
			}
		}
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"} {
		if u, err := url.Parse(get(name)); err == nil {
			password, _ := u.User.Password()
			add(password, u.RawQuery)
		}
	}
	return out
}
