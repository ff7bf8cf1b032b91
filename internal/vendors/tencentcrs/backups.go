package tencentcrs

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

// Status values of a backup that decide something: 2 is normal, and 3 and 4 are
// about a copy of it that is exported. Source: Tencent Cloud docs 239/8403; the
// last one is of API 3.0.
const (
	backupLocked  = 1
	backupExpired = -1
	backupDeleted = -2
)

// backup is what is read of a backup.
type backup struct {
	ID     wire.String `json:"backupId"`
	Status wire.Int    `json:"status"`
}

func decodeBackups(e envelope) ([]backup, error) {
	var list struct {
		Backups []backup `json:"redisBackupSet"`
	}
	if err := e.decode(&list); err != nil {
		return nil, err
	}
	if list.Backups == nil && !e.Total.Valid {
		return nil, errors.New("the answer is no list of backups")
	}
	return list.Backups, nil
}

// restorable pages through the backups of an instance and says whether the one
// to go back to can be used. Done also where the list does not tell: the vendor
// checks the backup itself.
func (c *Client) restorable(ctx context.Context, instanceID, id string) vendors.Verdict {
	var (
		v    vendors.Verdict
		rows pages
	)
	for rows.next() {
		var page []backup
		v = c.look(ctx, actionBackups, rows.params(map[string]string{"redisId": instanceID}), func(e envelope) (err error) {
			if page, err = decodeBackups(e); err == nil {
				rows.read(len(page), e.Total)
			}
			return err
		})
		if v.Kind != vendors.Done {
			return v
		}
		for _, b := range page {
			if string(b.ID) == id {
				return usable(b, v)
			}
		}
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
