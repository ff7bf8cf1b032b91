package huawei

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

// instance is what is read of an instance.
type instance struct {
	ID            wire.String `json:"instance_id"`
	Status        wire.String `json:"status"`
	EngineVersion wire.String `json:"engine_version"`
	CacheMode     wire.String `json:"cache_mode"`
	// Task is the work at hand, of which only the presence is documented. Lists
	// leave it out.
	Task json.RawMessage `json:"task"`
}

// working reports that the instance has a task.
func (i instance) working() bool {
	task := string(bytes.TrimSpace(i.Task))
	return task != "" && task != "null"
}

// decodeInstance reads the answer of ShowInstance.
func decodeInstance(body []byte, id string) (instance, error) {
	var i instance
	if wire.Unmarshal(body, &i) != nil {
		return instance{}, errors.New("the answer is no instance")
	}
	if i.Status == "" || string(i.ID) != id {
		return instance{}, errors.New("the answer is not the status of the instance that was asked for")
	}
	return i, nil
}

// show asks for one instance.
func (c *Client) show(ctx context.Context, id string) (found instance, v vendors.Verdict) {
	if !wellFormed(id) {
		return instance{}, malformed(id)
	}
	v = c.look(ctx, actionShow, "/instances/"+id, nil, func(a wire.Answer) (err error) {
		found, err = decodeInstance(a.Body, id)
		return err
	})
	return found, v
}

// backup is what is read of a backup record.
type backup struct {
	ID         wire.String `json:"backup_id"`
	InstanceID wire.String `json:"instance_id"`
	Status     wire.String `json:"status"`
	Restorable wire.String `json:"is_support_restore"`
}

// usable reports whether an instance can be restored from the backup.
func (b backup) usable() bool {
	return b.Status == "succeed" && !strings.EqualFold(string(b.Restorable), "false")
}

// backup looks for one backup of an instance.
func (c *Client) backup(ctx context.Context, instanceID, id string) (found backup, ok bool, v vendors.Verdict) {
	l := listing{
		action: actionBackups, path: "/instances/" + instanceID + "/backups",
		rows: "backup_record_response", total: "total_num", limit: 100,
	}
	complete, v := pages(ctx, c, l, func(b backup) bool {
		if string(b.ID) == id && (b.InstanceID == "" || string(b.InstanceID) == instanceID) {
			found, ok = b, true
		}
		return ok
	})
	if v.Kind == vendors.Done && !ok && !complete {
		v = withResponse(unavailable.verdict(actionBackups+": the list of backups changed or broke off while it was read"), v)
	}
	return found, ok, v
}

// restoreRecord is what is read of a restore's record.
type restoreRecord struct {
	ID        wire.String `json:"restore_id"`
	BackupID  wire.String `json:"backup_id"`
	Remark    wire.String `json:"restore_remark"`
	Status    wire.String `json:"status"`
	ErrorCode wire.String `json:"error_code"`
}

// clockMargin widens a list of records into the past: their times are by the
// vendor's clock, which may differ from ours by as much as signatures allow.
const clockMargin = time.Hour

// restores collects the records, since a moment, that match. complete reports
// that every record was seen.
func (c *Client) restores(ctx context.Context, instanceID string, since time.Time, match func(restoreRecord) bool) (found []restoreRecord, complete bool, v vendors.Verdict) {
	if !wellFormed(instanceID) {
		return nil, false, malformed(instanceID)
	}
	l := listing{
		action: actionRestores, path: "/instances/" + instanceID + "/restores",
		rows: "restore_record_response", total: "total_num", limit: 100,
	}
	if !since.IsZero() {
		l.query = url.Values{"begin_time": {since.Add(-clockMargin).UTC().Format("20060102150405")}}
	}
	seen := map[wire.String]bool{}
	complete, v = pages(ctx, c, l, func(r restoreRecord) bool {
		if match(r) && !seen[r.ID] {
			seen[r.ID] = true
			found = append(found, r)
		}
		return false
	})
	return found, complete, v
}
