package events

// BatchItem is one member of a batch.
type BatchItem struct {
	Envelope Envelope
	// Raw is the member in structured mode.
	Raw []byte
	// Err says why the member is no CloudEvent; nil if it is one.
	Err *Undecodable
}

// OpenBatch reads a message in batch mode, each member by itself. The second
// result is false for a message in another mode and for one that is too large;
// Open then reads it or says why not. A batch without members, or that is no JSON
// array, is one item with an error.
func OpenBatch(header map[string][]string, data []byte) ([]BatchItem, bool) {
	if mediaType(headerValue(header, "content-type")) != batchType || len(data) > MaxPayload {
		return nil, false
	}
	return OpenMembers(data), true
}

// OpenMembers is OpenBatch for a batch whose size and media type the caller has
// judged. Each member has the limit of a single event.
func OpenMembers(data []byte) []BatchItem {
	if !validJSON(data) {
		return []BatchItem{{Raw: data, Err: undecodable("the batch is not JSON")}}
	}
	all, ok := elements(data)
	if !ok || len(all) == 0 {
		return []BatchItem{{Raw: data, Err: undecodable("the batch is not an array of events, or empty")}}
	}
	items := make([]BatchItem, len(all))
	for i, raw := range all {
		items[i].Raw = raw
		if len(raw) > MaxPayload {
			items[i].Err = errTooLarge
			continue
		}
		items[i].Envelope, items[i].Err = openStructured(raw)
	}
	return items
}

var errTooLarge = &Undecodable{TooLarge, "the payload is over 64 KiB"}
