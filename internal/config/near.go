package config

import "strings"

// nearest finds the known name that was probably meant, or none.
func nearest(name string, known []string) string {
	best, limit := "", len(name)/3+1
	folded := fold(name)
	for _, candidate := range known {
		if distance := editDistance(folded, fold(candidate)); distance <= limit {
			best, limit = candidate, distance-1
		}
	}
	return best
}

// fold makes names equal that differ in case or separators only.
func fold(name string) string {
	return strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(name))
}

// editDistance counts the insertions, deletions and replacements between two names.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// suggestion is " (did you mean X?)" where a known name is near.
func suggestion(name string, known []string) string {
	if len(name) > 64 {
		return ""
	}
	if near := nearest(name, known); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}
