package config

import "go.yaml.in/yaml/v3"

// pair is one entry of a mapping.
type pair struct{ key, value *yaml.Node }

const (
	mergeTag      = "!!merge"
	maxMergeDepth = 16
)

// pairs lists the entries of a mapping, those merged in with << last. A key
// given twice is a mistake; a merged one gives way without a word.
func (d *decoder) pairs(n *yaml.Node, path string, depth int) []pair {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode {
		d.wrong(n, path, "expected a mapping (key: value), got %s", kindOf(n))
		return nil
	}
	var pairs []pair
	var merges []*yaml.Node
	seen := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !d.spend(key) {
			return nil
		}
		switch first := seen[key.Value]; {
		case key.Tag == mergeTag:
			merges = append(merges, value)
		case key.Kind != yaml.ScalarNode || key.Tag != "!!str":
			d.wrong(key, path, "expected a key that is text, got %s; put it in quotes", kindOf(key))
		case first != nil:
			d.wrong(key, join(path, key.Value), "key given twice, first in line %d; remove one", first.Line)
		default:
			seen[key.Value] = key
			pairs = append(pairs, pair{key, value})
		}
	}
	for _, merge := range merges {
		for _, merged := range d.merged(merge, path, depth) {
			if seen[merged.key.Value] == nil {
				seen[merged.key.Value] = merged.key
				pairs = append(pairs, merged)
			}
		}
	}
	return pairs
}

// merged lists what << brings in: one mapping or a list of them.
func (d *decoder) merged(n *yaml.Node, path string, depth int) []pair {
	if !d.spend(n) {
		return nil
	}
	if depth == maxMergeDepth {
		d.wrong(n, path, "merges (<<) are nested over %d deep; write the keys out", maxMergeDepth)
		return nil
	}
	source := n
	if n.Kind == yaml.AliasNode {
		source = n.Alias
	}
	if source.Kind != yaml.SequenceNode {
		return d.pairs(source, path, depth+1)
	}
	var pairs []pair
	for _, child := range source.Content {
		pairs = append(pairs, d.merged(child, path, depth+1)...)
	}
	return pairs
}
