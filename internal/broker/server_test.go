package broker

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestServerRefusesToStart(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	shared := t.TempDir()
	testServer(t, ServerOptions{StoreDir: shared})
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		options ServerOptions
		want    []string
	}{
		{"no directory", ServerOptions{}, []string{"no store directory"}},
		{"directory in use", ServerOptions{StoreDir: shared}, []string{shared, "in use by process", "choose another"}},
		{"directory not writable", ServerOptions{StoreDir: filepath.Join(file, "store")}, []string{file, "fix its permissions"}},
		{"port in use", ServerOptions{Temporary: true, Listen: taken.Addr().String()}, []string{taken.Addr().String(), "choose another"}},
		{"no port", ServerOptions{Temporary: true, Listen: "localhost"}, []string{"host:port"}},
		{"bad port", ServerOptions{Temporary: true, Listen: "localhost:nats"}, []string{"not a number"}},
	}
	for _, tt := range tests {
		s, err := StartServer(tt.options)
		if err == nil {
			s.Shutdown()
			t.Errorf("%s: started", tt.name)
			continue
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %q does not say %q", tt.name, err, want)
			}
		}
	}
}

func TestServerFreesItsDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for range 2 {
		s, err := StartServer(ServerOptions{StoreDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		if err := s.Stop(ended); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		s.Shutdown() // waits for the rest
	}
}

func TestTemporaryServerLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	s, err := StartServer(ServerOptions{Temporary: true})
	if err != nil {
		t.Fatal(err)
	}
	if url := s.URL(); url != "" {
		t.Errorf("a server without a listener has the URL %s", url)
	}
	s.Shutdown()
	if _, err := os.Stat(s.scratch); !os.IsNotExist(err) {
		t.Errorf("its directory is still there: %v", err)
	}
}

func TestSyncIsTheDefault(t *testing.T) {
	t.Parallel()
	tests := []struct {
		options ServerOptions
		want    bool
	}{
		{ServerOptions{}, true},
		{ServerOptions{SyncInterval: 1}, false},
		{ServerOptions{SyncInterval: 1, SyncAlways: true}, true},
		{ServerOptions{Temporary: true}, false},
	}
	for _, tt := range tests {
		got, err := serverOptions(tt.options)
		if err != nil || got.SyncAlways != tt.want {
			t.Errorf("%+v: sync always %v, error %v", tt.options, got.SyncAlways, err)
		}
	}
}
