package volcengine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

// instance is what is read of an instance.
type instance struct {
	ID     wire.String `json:"InstanceId"`
	Status wire.String
	Class  wire.String `json:"InstanceClass"`
}

// decodeDetail reads the result of DescribeDBInstanceDetail.
func decodeDetail(result json.RawMessage, id string) (instance, error) {
	var i instance
	if err := json.Unmarshal(result, &i); err != nil {
		return instance{}, errors.New("the result is no instance")
	}
	if i.Status == "" || string(i.ID) != id {
		return instance{}, errors.New("the result is not the status of the instance that was asked for")
	}
	return i, nil
}

// detail asks for one instance.
func (c *Client) detail(ctx context.Context, id string) (found instance, v vendors.Verdict) {
	v = c.look(ctx, actionDetail, map[string]any{"InstanceId": id}, func(result json.RawMessage) (err error) {
		found, err = decodeDetail(result, id)
		return err
	})
	return found, v
}

// page is one page of DescribeDBInstances.
type page struct {
	Total     wire.Int `json:"TotalInstancesNum"`
	Instances []instance
}

// decodePage reads the result of DescribeDBInstances.
func decodePage(result json.RawMessage) (page, error) {
	var p page
	if err := json.Unmarshal(result, &p); err != nil || p.Instances == nil && !p.Total.Valid {
		return page{}, errors.New("the result is no list of instances")
	}
	return p, nil
}

// instances asks for one page of the account's instances.
func (c *Client) instances(ctx context.Context, number, size int) (found page, v vendors.Verdict) {
	v = c.look(ctx, actionInstances, map[string]any{"PageNumber": number, "PageSize": size}, func(result json.RawMessage) (err error) {
		found, err = decodePage(result)
		return err
	})
	return found, v
}

// backup is what is read of a backup.
type backup struct {
	ID         wire.String `json:"BackupPointId"`
	InstanceID wire.String `json:"InstanceId"`
	Status     wire.String
}

// decodeBackups reads the result of DescribeBackups and picks one backup, since
// the API's own filter also lets similar ids through.
func decodeBackups(result json.RawMessage, instanceID, id string) (found backup, ok bool, err error) {
	var list struct {
		Total   wire.Int
		Backups []backup
	}
	if err := json.Unmarshal(result, &list); err != nil || list.Backups == nil && !list.Total.Valid {
		return backup{}, false, errors.New("the result is no list of backups")
	}
	for _, b := range list.Backups {
		if string(b.ID) == id && (b.InstanceID == "" || string(b.InstanceID) == instanceID) {
			return b, true, nil
		}
	}
	return backup{}, false, nil
}

// backup looks for one backup of an instance. Without a page number the API
// answers everything at once.
func (c *Client) backup(ctx context.Context, instanceID, id string) (found backup, ok bool, v vendors.Verdict) {
	params := map[string]any{"Scope": "OneInstance", "InstanceId": instanceID, "BackupPointId": id}
	v = c.look(ctx, actionBackups, params, func(result json.RawMessage) (err error) {
		found, ok, err = decodeBackups(result, instanceID, id)
		return err
	})
	return found, ok, v
}

// window is the span of time to which an instance can be restored.
type window struct{ start, end time.Time }

// known reports whether both ends could be read: with data flashback off there
// is no window to compare with, and the vendor itself must say so.
func (w window) known() bool { return !w.start.IsZero() && !w.end.IsZero() }

func (w window) holds(t time.Time) bool { return !t.Before(w.start) && !t.After(w.end) }

// decodeWindow reads the result of DescribePitrTimeWindow.
func decodeWindow(result json.RawMessage) (window, error) {
	var w struct{ StartTime, EndTime wire.String }
	if err := json.Unmarshal(result, &w); err != nil {
		return window{}, errors.New("the result is no time window")
	}
	return window{moment(string(w.StartTime)), moment(string(w.EndTime))}, nil
}

// moment reads a time in one of the vendor's two styles, zero if it is neither.
func moment(s string) time.Time {
	for _, style := range []string{time.RFC3339, "2006-01-02T15:04Z"} {
		if t, err := time.Parse(style, s); err == nil {
			return t
		}
	}
	return time.Time{}
}

// window asks to which times an instance can be restored. The window is unknown
// where the vendor does not offer the look-up.
func (c *Client) window(ctx context.Context, id string) (found window, v vendors.Verdict) {
	v = c.look(ctx, actionWindow, map[string]any{"InstanceId": id}, func(result json.RawMessage) (err error) {
		found, err = decodeWindow(result)
		return err
	})
	switch v.Response.Code {
	case "InvalidActionOrVersion", "ServiceNotFound":
		return window{}, vendors.Verdict{Kind: vendors.Done}
	}
	return found, v
}

// missing says that an id is not among the instance's backups.
func missing(id, instanceID string) vendors.Verdict {
	return class{vendors.Refused, vendors.ReasonBackupNotFound}.verdict(fmt.Sprintf("instance %s has no backup %s", instanceID, id))
}
