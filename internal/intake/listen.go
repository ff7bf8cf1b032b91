package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// The limits of a connection.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeader         = 64 << 10
)

// Server is a listening intake.
type Server struct {
	http *http.Server
	addr string
	log  *slog.Logger
	done chan struct{}
}

// Listen starts to answer at an address.
func Listen(addr string, files TLS, h http.Handler, log *slog.Logger) (*Server, error) {
	s := &Server{log: log, done: make(chan struct{}), http: &http.Server{
		Handler: h, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}}
	if files.Cert != "" {
		certs, err := newCertificates(files, log)
		if err != nil {
			return nil, err
		}
		s.http.TLSConfig = certs.listener()
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("intake.listen: %w; choose another address", err)
	}
	s.addr = l.Addr().String()
	if at, ok := l.Addr().(*net.TCPAddr); ok && !at.IP.IsLoopback() && files.Cert == "" {
		log.Warn("the intake takes tokens in plain HTTP on an address that others can reach; give it intake.tls, or put something in front that does TLS", "listen", s.addr)
	}
	go s.serve(l)
	return s, nil
}

func (s *Server) serve(l net.Listener) {
	defer close(s.done)
	var err error
	if s.http.TLSConfig != nil {
		err = s.http.ServeTLS(l, "", "")
	} else {
		err = s.http.Serve(l)
	}
	if !errors.Is(err, http.ErrServerClosed) {
		s.log.Error("the intake has stopped to listen", "error", err)
	}
}

// Addr is the address that was bound.
func (s *Server) Addr() string { return s.addr }

// Drain takes no new requests and waits for those under way until ctx ends; what is
// left then is cut off, and its publisher repeats it.
func (s *Server) Drain(ctx context.Context) {
	if err := s.http.Shutdown(ctx); err != nil {
		s.log.Warn("requests to the intake were cut off", "error", err)
		s.Close()
	}
}

// Close stops at once.
func (s *Server) Close() {
	_ = s.http.Close()
	<-s.done
}
