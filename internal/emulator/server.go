package emulator

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// maxBody bounds a request; Huawei's limit is the widest of the four.
const maxBody = 12 << 20

// settings is what may change while the server runs, read once per call.
type settings struct {
	quirks      Quirks
	transitions Transitions
	quotas      Quotas
}

// Server plays all four clouds. It is an http.Handler; use [Server.Listen] to
// give it a port of its own. All methods may be called at any time.
type Server struct {
	opts       Options
	keys       keyring
	clouds     map[Vendor]cloud
	settings   atomic.Pointer[settings]
	changing   sync.Mutex // held while settings are replaced
	store      *store
	faults     *faultSet
	calls      *recorder
	pace       *pacer
	violations violations

	httpMu  sync.Mutex
	http    *http.Server
	closing chan struct{} // closed by Close; frees calls that hang
	closed  sync.Once
}

// New returns a server of emulated clouds. It panics on a quirk or a quota mode
// that does not exist: that is a mistake in the calling program.
func New(o Options) *Server {
	o = o.withDefaults()
	s := &Server{opts: o, keys: newKeyring(o), closing: make(chan struct{})}
	s.clouds = map[Vendor]cloud{
		Volcengine: newVolcengine(), Huawei: huawei{}, Tencent: newTencent(), TencentCRS: newCRS(),
	}
	s.store, s.faults, s.pace = newStore(), newFaultSet(), newPacer(o.Now)
	s.calls = &recorder{limit: o.RecordLimit}
	set := settings{o.Quirks, o.Transitions, o.Quotas}
	if err := set.check(); err != nil {
		panic("emulator: " + err.Error())
	}
	s.settings.Store(&set)
	return s
}

func (set settings) check() error {
	switch set.quotas.Mode {
	case QuotaStrict, QuotaClock, QuotaOff:
		return set.quirks.check()
	}
	return fmt.Errorf("quota mode %q is none of %s, %s, %s", set.quotas.Mode, QuotaStrict, QuotaClock, QuotaOff)
}

// change replaces settings if the change is valid.
func (s *Server) change(edit func(*settings) error) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	set := *s.settings.Load()
	set.quotas = set.quotas.clone()
	if err := edit(&set); err != nil {
		return err
	}
	if err := set.check(); err != nil {
		return err
	}
	s.settings.Store(&set)
	return nil
}

// Listen serves on a TCP address ("127.0.0.1:0" takes a free port) until Close
// and returns the base URL.
func (s *Server) Listen(addr string) (string, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("emulator: listen on %s: %w", addr, err)
	}
	s.httpMu.Lock()
	defer s.httpMu.Unlock()
	if s.http != nil {
		return "", errors.Join(errors.New("emulator: listens already; make another server for another port"), l.Close())
	}
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.http.Serve(l) }()
	return "http://" + l.Addr().String(), nil
}

// Close ends calls that hang, closes the port and all connections. A handler
// mounted elsewhere answers nothing useful afterwards.
func (s *Server) Close() error {
	s.closed.Do(func() { close(s.closing) })
	s.httpMu.Lock()
	defer s.httpMu.Unlock()
	if s.http == nil {
		return nil
	}
	return s.http.Close()
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "request body: "+err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	if strings.HasPrefix(r.URL.Path, adminPrefix) {
		s.administrate(w, r, body)
		return
	}
	vendor, ok := vendorOf(r)
	if !ok {
		http.Error(w, "no emulated cloud is asked like this; see "+adminPrefix, http.StatusNotFound)
		return
	}
	s.serve(w, &exchange{s: s, r: r, body: body, vendor: vendor, cloud: s.clouds[vendor]})
}

// vendorOf tells the clouds apart by the shape of the request.
func vendorOf(r *http.Request) (Vendor, bool) {
	auth := r.Header.Get("Authorization")
	switch {
	case r.URL.Path == crsPath:
		return TencentCRS, true
	case strings.HasPrefix(r.URL.Path, "/v2/"):
		return Huawei, true
	case r.URL.Path != "/":
		return "", false
	case r.Header.Get("X-TC-Action") != "", r.Header.Get("X-TC-Timestamp") != "",
		r.Header.Get("X-TC-Version") != "", strings.HasPrefix(auth, tc3Algorithm):
		return Tencent, true
	case r.URL.Query().Has("Action"), r.Header.Get("X-Date") != "", strings.HasPrefix(auth, volcAlgorithm):
		return Volcengine, true
	}
	return "", false
}
