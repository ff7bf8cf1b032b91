package tencentcrs

import (
	"strconv"

	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

const (
	// pageSize is the most that the documentation mentions for a list.
	pageSize = 100
	// maxPages ends a list that does not end itself.
	maxPages = 20
)

// pages walks through a list page by page. The offset is taken for one of rows,
// as the samples show it, although its text says "page number": if it were one,
// the second page would come empty and the walk would know that rows are missing.
type pages struct {
	asked int
	rows  int64
	done  bool
	// complete reports that the walk has seen the whole list.
	complete bool
}

// next reports whether there is a page left to ask for.
func (p *pages) next() bool {
	if p.done || p.asked == maxPages {
		return false
	}
	p.asked++
	return true
}

// params adds the place of the page to ask for to the filters of a list.
func (p *pages) params(filters map[string]string) map[string]string {
	filters["limit"] = strconv.Itoa(pageSize)
	filters["offset"] = strconv.FormatInt(p.rows, 10)
	return filters
}

// read notes the page that came.
func (p *pages) read(rows int, total wire.Int) {
	p.rows += int64(rows)
	switch {
	case total.Valid && p.rows >= total.Value:
		p.done, p.complete = true, true
	case rows == 0:
		// Before the list's own count is reached, rows are missing.
		p.done, p.complete = true, !total.Valid
	}
}
