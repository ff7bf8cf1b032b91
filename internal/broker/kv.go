package broker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// headerOperation marks a message of a bucket as a removal.
const headerOperation = "KV-Operation"

// validKey reports what NATS allows as a key of a bucket: letters, digits and -/_= in
// parts separated by dots.
func validKey(key string) bool {
	before := '.'
	for _, r := range key {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '/', r == '_', r == '=':
		case r != '.' || before == '.':
			return false
		}
		before = r
	}
	return before != '.'
}

// headers are kept for use by later writes: making one costs more than all else that
// a write allocates.
var headers = sync.Pool{New: func() any { return nats.Header{} }}

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
	if !validKey(key) {
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
		return 0, &HeldError{e, conflict}
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
	if !validKey(key) {
		return 0, errKey
	}
	header := headers.Get().(nats.Header)
	header[jetstream.ExpectedLastSubjSeqHeader] = []string{strconv.FormatUint(expected, 10)}
	if operation != "" {
		header[headerOperation] = []string{operation}
	}
	w := &write{msg: &nats.Msg{Subject: b.subject(key), Header: header, Data: value}, key: key, fresh: expected == 0}
	w.alone = w.fresh && b.exists(ctx, key)
	revision, err := b.conn.store(ctx, b.stream, w)
	if err == nil { // nobody has a hand on it any more
		clear(header)
		headers.Put(header)
	}
	return revision, err
}

// exists looks for the key where one refused creation would spoil a whole batch. It
// is a hint: the write that follows is what counts.
func (b *bucket) exists(ctx context.Context, key string) bool {
	if g := b.conn.groups[b.stream]; g == nil || !g.batching() {
		return false
	}
	_, err := b.last(ctx, key)
	return err == nil
}

func (b *bucket) fail(what, key string, err error) error {
	return fmt.Errorf("%s %s in bucket %s: %w", what, key, b.name, err)
}

var _ KV = (*bucket)(nil)
