package events

// ID is the id of the trace that the publisher named, by the letter of the W3C's trace
// context, or empty if it named none.
func (t Trace) ID() string {
	p := t.Parent
	if len(p) < 55 || p[2] != '-' || p[35] != '-' || p[52] != '-' || p[:2] == "ff" || (p[:2] == "00" && len(p) != 55) {
		return ""
	}
	id := p[3:35]
	zero := true
	for i := range len(id) {
		c := id[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return ""
		}
		zero = zero && c == '0'
	}
	if zero {
		return ""
	}
	return id
}
