package broker

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/nats-io/nats.go"
)

// A refused client certificate is told as such also where the connection was gone
// before the server's reason was read.
func TestRefusedCertificateIsExplained(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		fmt.Errorf("%w: connection closed by remote after TLS handshake: %w", nats.ErrTLS, syscall.EPIPE),
		errors.New("remote error: tls: certificate required"),
	} {
		if got := explained(Options{}, err).Error(); !strings.Contains(got, "our side of TLS") {
			t.Errorf("told: %s", got)
		}
	}
}
