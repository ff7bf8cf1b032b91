package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// NewRegistry makes a registry with the Go runtime's, the process's and the
// build's metrics.
func NewRegistry(version string) *prometheus.Registry {
	r := prometheus.NewRegistry()
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "sluice_build_info", Help: "1, with the version of the program and of Go as labels.",
	}, []string{"version", "goversion"})
	build.WithLabelValues(version, runtime.Version()).Set(1)
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), build)
	return r
}

// Server answers /livez, /readyz and /metrics.
type Server struct {
	http *http.Server
	addr string
}

// Listen starts the server. ready says why the process is not ready, or nil.
func Listen(addr string, registry *prometheus.Registry, ready func(context.Context) error) (*Server, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("http.listen: %w; choose another address with http.listen or --http-listen", err)
	}
	s := &Server{addr: l.Addr().String(), http: &http.Server{
		Handler: Handler(registry, ready), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
	}}
	go func() {
		// Serve ends with ErrServerClosed on Close; there is no other way to end
		// that the process could do something about.
		_ = s.http.Serve(l)
	}()
	return s, nil
}

// Handler is the server's handler, for tests.
func Handler(registry *prometheus.Registry, ready func(context.Context) error) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		err := ready(ctx)
		if err == nil {
			fmt.Fprintln(w, "ok")
			return
		}
		if errors.Is(err, context.DeadlineExceeded) {
			err = errors.New("the broker does not answer")
		}
		http.Error(w, "not ready: "+err.Error(), http.StatusServiceUnavailable)
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry, EnableOpenMetrics: true}))
	return mux
}

// Addr is the address that was bound.
func (s *Server) Addr() string { return s.addr }

// Close stops the server at once.
func (s *Server) Close() { _ = s.http.Close() }
