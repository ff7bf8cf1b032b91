package huawei

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strconv"

	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

// maxPages ends a list that does not end itself.
const maxPages = 50

// listing is a list that comes in pages, and where its answer keeps the rows
// and their number.
type listing struct {
	action, path string
	query        url.Values
	rows, total  string
	limit        int
	// further is asked before each page but the first, with the number of pages
	// that are left at least, whether it is worth it. Nil reads all.
	further func(left int64) bool
}

// left is the number of pages that follow the first rows of a list, at least one.
func (l listing) left(total wire.Int, rows int) int64 {
	limit := int64(l.limit)
	return max(1, (total.Value-int64(rows)+limit-1)/limit)
}

// decodePage reads one page. An answer without the rows is an error unless it
// says that there are none: silence must not pass for an empty list.
func decodePage[T any](a wire.Answer, l listing) (rows []T, total wire.Int, err error) {
	if a.Status == http.StatusNoContent {
		return nil, wire.Int{Valid: true}, nil
	}
	var answer map[string]json.RawMessage
	if wire.Unmarshal(a.Body, &answer) != nil {
		return nil, wire.Int{}, errors.New("the answer is not the vendor's JSON")
	}
	_ = total.UnmarshalJSON(answer[l.total])
	raw := bytes.TrimSpace(answer[l.rows])
	if len(raw) == 0 || string(raw) == "null" {
		if total != (wire.Int{Valid: true}) {
			return nil, wire.Int{}, errors.New("the answer has no " + l.rows)
		}
		return nil, total, nil
	}
	if wire.Unmarshal(raw, &rows) != nil {
		return nil, wire.Int{}, errors.New("the answer has no readable " + l.rows)
	}
	return rows, total, nil
}

// pages reads a list page by page into each, until that says stop or the list
// ends. complete reports that every row was seen.
func pages[T any](ctx context.Context, c *Client, l listing, each func(T) (stop bool)) (complete bool, v vendors.Verdict) {
	offset := 0
	for range maxPages {
		query := maps.Clone(l.query)
		if query == nil {
			query = url.Values{}
		}
		query.Set("offset", strconv.Itoa(offset))
		query.Set("limit", strconv.Itoa(l.limit))
		var rows []T
		var total wire.Int
		v = c.look(ctx, l.action, l.path, query, func(a wire.Answer) (err error) {
			rows, total, err = decodePage[T](a, l)
			return err
		})
		if v.Kind != vendors.Done {
			return false, v
		}
		for _, row := range rows {
			if each(row) {
				return false, v
			}
		}
		offset += len(rows)
		enough := !total.Valid || int64(offset) >= total.Value
		if len(rows) == 0 || total.Valid && enough {
			return enough, v
		}
		if l.further != nil && !l.further(l.left(total, offset)) {
			return false, v
		}
	}
	return false, v
}
