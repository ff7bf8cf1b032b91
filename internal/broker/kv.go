package broker

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// headerOperation marks a message of a bucket as a removal.
const headerOperation = "KV-Operation"

// validKey is what NATS allows as a key of a bucket.
var validKey = regexp.MustCompile(`^[-/_=a-zA-Z0-9]+(\.[-/_=a-zA-Z0-9]+)*$`)

// bucket is a key-value bucket in the layout that every NATS client knows. It
// writes to the stream itself, because what is needed of a bucket is only
// compare-and-set, and because then a write's error says what became of it.
type bucket struct {
	conn   *Conn
	name   string
	stream string
}

func newBucket(c *Conn, name string) *bucket {
	return &bucket{conn: c, name: name, stream: bucketStream(name)}
}

// Ledger is the bucket of records, one per ClientToken.
func (c *Conn) Ledger() KV { return c.ledger }

// Leases is the bucket of account leases; its entries vanish after the lease's
// time to live.
func (c *Conn) Leases() KV { return c.leases }

func (b *bucket) subject(key string) string { return "$KV." + b.name + "." + key }

// Get is KV.Get.
func (b *bucket) Get(ctx context.Context, key string) (Entry, error) {
	e, err := b.last(ctx, key)
	if err == nil && e.Deleted {
		err = ErrNotFound
	}
	if err != nil {
		return Entry{}, b.fail("get", key, err)
	}
	return e, nil
}

// last reads the newest message of a key, removals included. It asks the leader:
// another replica may not yet have the write that was just acknowledged.
func (b *bucket) last(ctx context.Context, key string) (Entry, error) {
	if !validKey.MatchString(key) {
		return Entry{}, errKey
	}
	m, err := b.conn.get(ctx, b.stream, getRequest{Last: b.subject(key)})
	if err != nil {
		return Entry{}, err
	}
	return Entry{Key: key, Value: m.data, Revision: m.sequence, Created: m.time, Deleted: isRemoval(m.header)}, nil
}

// isRemoval recognises the markers of clients and of the server.
func isRemoval(h Header) bool {
	header := nats.Header(h)
	return header.Get(headerOperation) != "" || header.Get(jetstream.MarkerReasonHeader) != ""
}

// Create is KV.Create.
func (b *bucket) Create(ctx context.Context, key string, value []byte) (uint64, error) {
	revision, err := b.write(ctx, key, value, 0, "")
	if errors.Is(err, ErrConflict) {
		revision, err = b.createOverRemoval(ctx, key, value, err)
	}
	if err != nil {
		return 0, b.fail("create", key, err)
	}
	return revision, nil
}

// createOverRemoval writes over the marker of a removal, unless it was something
// else that stood in the way.
func (b *bucket) createOverRemoval(ctx context.Context, key string, value []byte, conflict error) (uint64, error) {
	switch e, err := b.last(ctx, key); {
	case errors.Is(err, ErrNotFound): // it expired in between
		return b.write(ctx, key, value, 0, "")
	case err != nil:
		return 0, err
	case !e.Deleted:
		return 0, conflict
	default:
		return b.write(ctx, key, value, e.Revision, "")
	}
}

// Update is KV.Update.
func (b *bucket) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	revision, err := b.write(ctx, key, value, revision, "")
	if err != nil {
		return 0, b.fail("update", key, err)
	}
	return revision, nil
}

// Delete is KV.Delete.
func (b *bucket) Delete(ctx context.Context, key string, revision uint64) error {
	if _, err := b.write(ctx, key, nil, revision, "DEL"); err != nil {
		return b.fail("delete", key, err)
	}
	return nil
}

// errKey is the error for a key that NATS would not take.
var errKey = errors.New("not a valid key; want letters, digits and -/_= in parts separated by dots")

// write is the compare-and-set under all of them: it stores only if the key's
// newest message has the expected sequence, 0 for none.
func (b *bucket) write(ctx context.Context, key string, value []byte, expected uint64, operation string) (uint64, error) {
	if !validKey.MatchString(key) {
		return 0, errKey
	}
	header := nats.Header{jetstream.ExpectedLastSubjSeqHeader: {fmt.Sprint(expected)}}
	if operation != "" {
		header[headerOperation] = []string{operation}
	}
	return b.conn.store(ctx, b.stream, &nats.Msg{Subject: b.subject(key), Header: header, Data: value})
}

func (b *bucket) fail(what, key string, err error) error {
	return fmt.Errorf("%s %s in bucket %s: %w", what, key, b.name, err)
}

var _ KV = (*bucket)(nil)
