package broker

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"
)

// pubAck is a stream's answer to a message, or to a batch of them.
type pubAck struct {
	Error    *jetstream.APIError `json:"error"`
	Stream   string              `json:"stream"`
	Sequence uint64              `json:"seq"`
	Batch    string              `json:"batch"`
	Count    int                 `json:"count"`
}

var (
	ackStart = []byte(`{"stream":"`)
	ackSeq   = []byte(`"seq":`)
)

// readAck returns the sequence of the (last) message stored.
func readAck(data []byte) (uint64, error) {
	if seq, ok := plainAck(data); ok {
		return seq, nil
	}
	ack, err := parseAck(data)
	return ack.Sequence, err
}

// plainAck reads the answer that all but a few are: a stream, a sequence, no more.
func plainAck(data []byte) (uint64, bool) {
	if !bytes.HasPrefix(data, ackStart) || data[len(data)-1] != '}' {
		return 0, false
	}
	data = data[len(ackStart) : len(data)-1]
	end := bytes.IndexByte(data, '"')
	if end <= 0 || end+1 >= len(data) || data[end+1] != ',' {
		return 0, false
	}
	data, ok := bytes.CutPrefix(bytes.TrimLeft(data[end+2:], " "), ackSeq)
	if !ok {
		return 0, false
	}
	seq, err := strconv.ParseUint(string(bytes.TrimLeft(data, " ")), 10, 64)
	return seq, err == nil
}

// parseAck reads any answer.
func parseAck(data []byte) (pubAck, error) {
	var ack pubAck
	switch err := json.Unmarshal(data, &ack); {
	case err != nil:
		return ack, jetstream.ErrInvalidJSAck
	case ack.Error != nil:
		return ack, ack.Error
	case ack.Stream == "":
		return ack, jetstream.ErrInvalidJSAck
	}
	return ack, nil
}
