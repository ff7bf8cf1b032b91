package broker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// oldestMajor and oldestMinor are the first server release with everything that
// is used here; the younger parts are naks with a delay and the pending counts of
// pull requests.
const (
	oldestMajor = 2
	oldestMinor = 10
	// batchesMajor and batchesMinor are the first release with atomic batches.
	batchesMajor = 2
	batchesMinor = 12
)

// checkServer finds a server that is too old, has no JetStream, or does not let
// us use it; otherwise it returns our account there.
func (c *Conn) checkServer(ctx context.Context) (*jetstream.AccountInfo, []Finding, error) {
	if err := c.WaitConnected(ctx); err != nil {
		return nil, nil, err
	}
	if v := c.nc.ConnectedServerVersion(); tooOld(v) {
		return nil, []Finding{{Refuse, "the NATS server is release " + v,
			fmt.Sprintf("upgrade it to %d.%d or later", oldestMajor, oldestMinor)}}, nil
	}
	info, err := c.js.AccountInfo(ctx)
	var refusal *ForbiddenError
	switch {
	case err == nil:
		return info, accountFindings(info, len(c.names.streams())), nil
	case errors.As(context.Cause(ctx), &refusal):
		return nil, []Finding{forbidden(refusal)}, nil
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, nats.ErrNoResponders):
		return nil, []Finding{{Refuse, "the NATS server has no JetStream", "start it with JetStream (nats-server -js)"}}, nil
	case errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return nil, []Finding{{Refuse, "JetStream is not enabled for the NATS account", "enable it in the account's settings"}}, nil
	}
	return nil, nil, fmt.Errorf("ask for JetStream's account information: %w", err)
}

// accountFindings warns of limits before they are hit; that they are, the server
// says when the streams are made.
func accountFindings(info *jetstream.AccountInfo, streams int) []Finding {
	limit := info.Limits.MaxStreams
	if limit > 0 && limit < streams {
		return []Finding{{Refuse, fmt.Sprintf("the NATS account may have %d streams, and %d are needed", limit, streams),
			"raise the account's limit of streams"}}
	}
	return nil
}

// maxConsumers is the account's limit, the lowest of its tiers; 0 is none.
func maxConsumers(info *jetstream.AccountInfo) int {
	limit := max(info.Limits.MaxConsumers, 0)
	for _, tier := range info.Tiers {
		if n := tier.Limits.MaxConsumers; n > 0 && (limit == 0 || n < limit) {
			limit = n
		}
	}
	return limit
}

func tooOld(version string) bool { return older(version, oldestMajor, oldestMinor) }

// knowsBatches reports whether the connected server takes atomic batches.
func knowsBatches(nc *nats.Conn) bool {
	return !older(nc.ConnectedServerVersion(), batchesMajor, batchesMinor)
}

// older compares a version such as 2.11.4-beta.1; one that cannot be read passes.
func older(version string, major, minor int) bool {
	first, rest, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	second, _, _ := strings.Cut(rest, ".")
	a, err1 := strconv.Atoi(first)
	b, err2 := strconv.Atoi(second)
	if err1 != nil || err2 != nil {
		return false
	}
	return a < major || (a == major && b < minor)
}
