package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// readyTimeout bounds the wait for the server's listener, after its store has
// been recovered.
const readyTimeout = 20 * time.Second

// ServerOptions says how to run the embedded server.
type ServerOptions struct {
	// StoreDir is where JetStream keeps its files. One process at a time may
	// use it.
	StoreDir string
	// Temporary takes a fresh directory instead of StoreDir and removes it on
	// Shutdown, for demonstrations and tests.
	Temporary bool
	// Listen is host:port for other clients; port 0 takes a free one. Empty: the
	// server is reachable from within the process only.
	Listen string
	// SyncAlways flushes to disk before every acknowledgement. It is the default
	// while SyncInterval is zero and the store is not temporary.
	SyncAlways bool
	// SyncInterval flushes at intervals instead; a crash of the machine loses
	// what was acknowledged since the last one.
	SyncInterval time.Duration
	// Logger takes the server's own log; nil discards it.
	Logger *slog.Logger
}

// Server is a NATS server with JetStream inside this process.
type Server struct {
	ns      *server.Server
	lock    *dirLock
	scratch string
	stop    sync.Once
	stopped chan struct{}
}

// StartServer starts the embedded server and returns when it takes clients.
func StartServer(o ServerOptions) (*Server, error) {
	s := &Server{stopped: make(chan struct{})}
	if o.Temporary {
		dir, err := os.MkdirTemp("", "sluice-")
		if err != nil {
			return nil, fmt.Errorf("embedded server: %w", err)
		}
		o.StoreDir, s.scratch = dir, dir
	}
	if err := s.start(o); err != nil {
		s.cleanUp()
		return nil, fmt.Errorf("embedded server: %w", err)
	}
	return s, nil
}

func (s *Server) start(o ServerOptions) (err error) {
	if o.StoreDir == "" {
		return errors.New("no store directory given")
	}
	if s.lock, err = lockDir(o.StoreDir); err != nil {
		return err
	}
	opts, err := serverOptions(o)
	if err != nil {
		return err
	}
	ns, err := server.NewServer(opts)
	if err != nil {
		return err
	}
	log := newServerLog(o.Logger)
	ns.SetLoggerV2(log, false, false, false)
	// Start returns early after a fatal error, which it only tells its log.
	ns.Start()
	if err := log.fatal(); err != nil {
		stopServer(ns)
		return err
	}
	if !ns.ReadyForConnections(readyTimeout) || !ns.JetStreamEnabled() {
		stopServer(ns)
		return fmt.Errorf("not ready after %s; its log says why", readyTimeout)
	}
	s.ns = ns
	return nil
}

// serverOptions translates ours into the server's.
func serverOptions(o ServerOptions) (*server.Options, error) {
	opts := &server.Options{
		JetStream:              true,
		StoreDir:               o.StoreDir,
		SyncInterval:           o.SyncInterval,
		SyncAlways:             o.SyncAlways || (o.SyncInterval == 0 && !o.Temporary),
		NoSigs:                 true,
		DisableJetStreamBanner: true,
		DontListen:             o.Listen == "",
	}
	// A lane is a consumer; the server's own limit of a thousand is too few.
	opts.JetStreamLimits.DefaultMaxConsumers = -1
	if o.Listen == "" {
		return opts, nil
	}
	host, port, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen address %q: %w; want host:port", o.Listen, err)
	}
	if opts.Port, err = strconv.Atoi(port); err != nil {
		return nil, fmt.Errorf("listen address %q: port %q is not a number", o.Listen, port)
	}
	if opts.Port == 0 {
		opts.Port = server.RANDOM_PORT
	}
	opts.Host = host
	return opts, portFree(o.Listen)
}

// portFree asks before the server does, whose own error is a line in its log.
func portFree(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("%w; another process may use the address: stop it or choose another", err)
	}
	return l.Close()
}

// URL is the address for other clients, empty without a listener.
func (s *Server) URL() string {
	if s.ns.Addr() == nil {
		return ""
	}
	return s.ns.ClientURL()
}

// InProcess connects clients of this process without a socket.
func (s *Server) InProcess() nats.InProcessConnProvider { return s.ns }

// Shutdown stops the server and returns when its files are closed.
func (s *Server) Shutdown() { _ = s.Stop(context.Background()) }

// Stop is Shutdown with a limit. Closing thousands of lanes takes the server many
// seconds, ten milliseconds or so for each; a process that exits before the end
// loses nothing that was acknowledged. The store stays locked until the end.
func (s *Server) Stop(ctx context.Context) error {
	s.stop.Do(func() {
		go func() {
			defer close(s.stopped)
			stopServer(s.ns)
			s.cleanUp()
		}()
	})
	select {
	case <-s.stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop the embedded server: still closing its files: %w", ctx.Err())
	}
}

func stopServer(ns *server.Server) {
	ns.Shutdown()
	ns.WaitForShutdown()
}

// cleanUp frees the store directory; errors leave nothing to be done.
func (s *Server) cleanUp() {
	if s.lock != nil {
		_ = s.lock.release()
	}
	if s.scratch != "" {
		_ = os.RemoveAll(s.scratch)
	}
}
