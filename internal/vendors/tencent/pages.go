package tencent

import "github.com/seed-7b870224/sluice/internal/vendors/wire"

const (
	// pageSize is the most that the lists of tasks and of backups give at once.
	pageSize = 100
	// maxPages ends a list that does not end itself.
	maxPages = 20
)

// pages walks through a list page by page. The order of the lists is not
// documented, so that a walk ends only where the list does.
type pages struct {
	// limit lowers maxPages if it is above zero.
	limit int
	asked int
	rows  int64
	done  bool
	// complete reports that the walk has seen the whole list.
	complete bool
}

// next reports whether there is a page left to ask for.
func (p *pages) next() bool {
	limit := maxPages
	if p.limit > 0 {
		limit = min(limit, p.limit)
	}
	if p.done || p.asked == limit {
		return false
	}
	p.asked++
	return true
}

// offset is that of the page to ask for, always a multiple of the page size.
func (p *pages) offset() int { return (p.asked - 1) * pageSize }

// read notes the page that came.
func (p *pages) read(rows int, total wire.Int) {
	p.rows += int64(rows)
	switch {
	case total.Valid && p.rows >= total.Value:
		p.done, p.complete = true, true
	case total.Valid && rows == 0:
		p.done = true // The list ends before its own count: rows are missing.
	case !total.Valid && rows < pageSize:
		p.done, p.complete = true, true
	}
}
