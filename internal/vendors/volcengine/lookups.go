package volcengine

import (
	"context"
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

// sought is the instance that was asked for.
type sought struct {
	id string
	instance
}

func (s *sought) check(odd error) error {
	switch {
	case odd != nil:
		return errors.New("the result is no instance")
	case s.Status == "" || string(s.ID) != s.id:
		return errors.New("the result is not the status of the instance that was asked for")
	}
	return nil
}

// detail asks for one instance.
func (c *Client) detail(ctx context.Context, id string) (instance, vendors.Verdict) {
	found := sought{id: id}
	v := c.look(ctx, actionDetail, map[string]any{"InstanceId": id}, &found)
	if v.Kind != vendors.Done {
		return instance{}, v
	}
	return found.instance, v
}

// page is one page of DescribeDBInstances.
type page struct {
	Total     wire.Int `json:"TotalInstancesNum"`
	Instances []instance
}

func (p *page) check(odd error) error {
	if odd != nil || p.Instances == nil && !p.Total.Valid {
		return errors.New("the result is no list of instances")
	}
	return nil
}

// instances asks for one page of the account's instances.
func (c *Client) instances(ctx context.Context, number, size int) (found page, v vendors.Verdict) {
	v = c.look(ctx, actionInstances, map[string]any{"PageNumber": number, "PageSize": size}, &found)
	if v.Kind != vendors.Done {
		return page{}, v
	}
	return found, v
}

// backup is what is read of a backup.
type backup struct {
	ID         wire.String `json:"BackupPointId"`
	InstanceID wire.String `json:"InstanceId"`
	Status     wire.String
}

// backups is the result of DescribeBackups.
type backups struct {
	Total   wire.Int
	Backups []backup
}

func (b *backups) check(odd error) error {
	if odd != nil || b.Backups == nil && !b.Total.Valid {
		return errors.New("the result is no list of backups")
	}
	return nil
}

// find picks one backup of an instance, since the API's own filter also lets similar
// ids through.
func (b *backups) find(instanceID, id string) (found backup, ok bool) {
	for _, b := range b.Backups {
		if string(b.ID) == id && (b.InstanceID == "" || string(b.InstanceID) == instanceID) {
			return b, true
		}
	}
	return backup{}, false
}

// backup looks for one backup of an instance. Without a page number the API
// answers everything at once.
func (c *Client) backup(ctx context.Context, instanceID, id string) (found backup, ok bool, v vendors.Verdict) {
	params := map[string]any{"Scope": "OneInstance", "InstanceId": instanceID, "BackupPointId": id}
	var all backups
	if v = c.look(ctx, actionBackups, params, &all); v.Kind == vendors.Done {
		found, ok = all.find(instanceID, id)
	}
	return found, ok, v
}

// window is the span of time to which an instance can be restored.
type window struct{ start, end time.Time }

// known reports whether both ends could be read: with data flashback off there
// is no window to compare with, and the vendor itself must say so.
func (w window) known() bool { return !w.start.IsZero() && !w.end.IsZero() }

func (w window) holds(t time.Time) bool { return !t.Before(w.start) && !t.After(w.end) }

// ends is the result of DescribePitrTimeWindow.
type ends struct{ StartTime, EndTime wire.String }

func (*ends) check(odd error) error {
	if odd != nil {
		return errors.New("the result is no time window")
	}
	return nil
}

func (e ends) window() window { return window{moment(string(e.StartTime)), moment(string(e.EndTime))} }

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
	var e ends
	if v = c.look(ctx, actionWindow, map[string]any{"InstanceId": id}, &e); v.Kind == vendors.Done {
		found = e.window()
	}
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
