package tencent

import (
	"cmp"

	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

const (
	// pageSize is the most that the lists of tasks and of backups give at once.
	pageSize = 100
	// maxPages ends a list that does not end itself.
	maxPages = 20
)

// pages walks through a list page by page. The order of the lists is not
// documented, so that a walk ends only where the list does.
type pages struct {
	// limit takes the place of maxPages if it is above zero.
	limit int
	asked int
	rows  int64
	done  bool
	// complete reports that the walk has seen the whole list.
	complete bool
}

// next reports whether there is a page left to ask for.
func (p *pages) next() bool {
	if p.done || p.asked == cmp.Or(p.limit, maxPages) {
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

// left is the number of pages that follow those read, at least one.
func (p *pages) left(total wire.Int) int64 { return max(1, (total.Value-p.rows+pageSize-1)/pageSize) }
