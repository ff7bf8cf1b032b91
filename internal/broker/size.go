package broker

import (
	"context"
	"fmt"
)

// LedgerSize is how many bytes the ledger's bucket holds, and its limit; 0 means that
// the bucket has none of its own.
func (c *Conn) LedgerSize(ctx context.Context) (bytes, limit uint64, err error) {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	stream, err := c.js.Stream(ctx, bucketStream(c.names.ledger))
	if err != nil {
		return 0, 0, fmt.Errorf("size of bucket %s: %w", c.names.ledger, err)
	}
	info := stream.CachedInfo()
	return info.State.Bytes, uint64(max(0, info.Config.MaxBytes)), nil
}
