package tencent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

// Status values of a backup that decide something: 2 is normal, and 3 and 4 are
// about a copy of it that is exported. Source: Tencent Cloud docs 239/20011.
const (
	backupLocked  = 1
	backupExpired = -1
	backupDeleted = -2
)

// backup is what is read of a backup.
type backup struct {
	ID     wire.String `json:"BackupId"`
	Status wire.Int
}

// backupPage is a result of DescribeInstanceBackups.
type backupPage struct {
	Total   wire.Int `json:"TotalCount"`
	Backups []backup `json:"BackupSet"`
}

func decodeBackups(result json.RawMessage) (backupPage, error) {
	var p backupPage
	if err := wire.Unmarshal(result, &p); err != nil || p.Backups == nil && !p.Total.Valid {
		return backupPage{}, errors.New("the result is no list of backups")
	}
	return p, nil
}

// restorable pages through the backups of an instance and says whether the one
// to go back to can be used. Done also where the list does not tell: the vendor
// checks the backup itself.
func (c *Client) restorable(ctx context.Context, instanceID, id string) vendors.Verdict {
	var (
		p    backupPage
		v    vendors.Verdict
		rows pages
	)
	for rows.next() {
		params := map[string]any{"InstanceId": instanceID, "Limit": pageSize, "Offset": rows.offset()}
		v = c.look(ctx, actionBackups, params, func(result json.RawMessage, _ func(string) string) (err error) {
			p, err = decodeBackups(result)
			return err
		})
		if v.Kind != vendors.Done {
			return v
		}
		for _, b := range p.Backups {
			if string(b.ID) == id {
				return usable(b, v)
			}
		}
		rows.read(len(p.Backups), p.Total)
	}
	if !rows.complete {
		return v
	}
	return noBackup.from(v, fmt.Sprintf("instance %s has no backup %s", instanceID, id))
}

// usable says whether the status of a backup allows a restore.
func usable(b backup, look vendors.Verdict) vendors.Verdict {
	if !b.Status.Valid {
		return look
	}
	switch b.Status.Value {
	case backupLocked:
		return busy.from(look, fmt.Sprintf("backup %s is locked by another flow", b.ID))
	case backupExpired, backupDeleted:
		return badBackup.from(look, fmt.Sprintf("backup %s has status %d: it is expired or deleted", b.ID, b.Status.Value))
	}
	return look
}
