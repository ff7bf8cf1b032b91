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
	if !validJSON(data) {
		return []BatchItem{{Raw: data, Err: undecodable("the batch is not JSON")}}, true
	}
	all, ok := elements(data)
	if !ok || len(all) == 0 {
		return []BatchItem{{Raw: data, Err: undecodable("the batch is not an array of events, or empty")}}, true
	}
	items := make([]BatchItem, len(all))
	for i, raw := range all {
		items[i].Raw = raw
		items[i].Envelope, items[i].Err = openStructured(raw)
	}
	return items, true
}
