package tencentcrs

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

// Status values of a task. Source: Tencent Cloud docs 239/1387 and 239/8404.
const (
	taskWaits   = 0
	taskRuns    = 1
	taskDone    = 2
	taskFault   = 3
	taskErrored = -1
)

// mainland is the zone of the API's times, which they do not name.
func mainland(t time.Time) string {
	return t.In(time.FixedZone("", 8*60*60)).Format(time.DateTime)
}

// task is a row of the list of tasks. Rows carry no task id.
type task struct {
	Name       wire.String `json:"taskName"`
	InstanceID wire.String `json:"redisId"`
	Start      wire.String `json:"startTime"`
	Status     wire.Int    `json:"status"`
}

// unfinished reports a task that waits or runs.
func (t task) unfinished() bool {
	return t.Status.Valid && (t.Status.Value == taskWaits || t.Status.Value == taskRuns)
}

// started gives the time of submission in the API's own form, in which later is
// greater, and empty for a task that has none.
func (t task) started() string {
	if _, err := time.Parse(time.DateTime, string(t.Start)); err != nil {
		return ""
	}
	return string(t.Start)
}

// likeness says whether a row is of the kind of work that an operation starts.
type likeness int

const (
	other likeness = iota
	perhaps
	same
)

// like compares a row with an operation. Filters of the API carry a prefix that
// rows do not; it is taken on both.
func (t task) like(op vendors.Operation) likeness {
	name := strings.TrimPrefix(strings.ToLower(string(t.Name)), "task_")
	switch name {
	case "cleaninstance":
		if op == vendors.Flush {
			return same
		}
		return other
	case "restorebackup":
		if op == vendors.Restore {
			return same
		}
		return other
	case "newinstance", "resizeinstance", "closeinstance", "startinstance", "deleteinstance",
		"setpassword", "importrdb", "exportbackup", "restorestream", "backupinstance":
		return other
	}
	return perhaps
}

func decodeTasks(e envelope) ([]task, error) {
	var list struct {
		Tasks []task `json:"redisTaskSet"`
	}
	if err := e.decode(&list); err != nil {
		return nil, err
	}
	if list.Tasks == nil && !e.Total.Valid {
		return nil, errors.New("the answer is no list of tasks")
	}
	return list.Tasks, nil
}

// history gives the tasks of an instance since a time in the API's own form. It
// is complete unless the walk ended before the list.
func (c *Client) history(ctx context.Context, instanceID, since string) (tasks []task, complete bool, v vendors.Verdict) {
	var rows pages
	earlier := map[task]bool{}
	for rows.next() {
		var page []task
		params := rows.params(map[string]string{
			"redisId":   instanceID,
			"beginTime": since,
			// A day ahead covers every zone that the times may be in.
			"endTime": mainland(time.Now().Add(24 * time.Hour)),
		})
		v := c.look(ctx, actionTasks, params, func(e envelope) (err error) {
			if page, err = decodeTasks(e); err == nil {
				rows.read(len(page), e.Total)
			}
			return err
		})
		if v.Kind != vendors.Done {
			return nil, false, v
		}
		// Rows shift to the next page while new ones come. Within one page two
		// rows that look alike are two tasks.
		for _, t := range page {
			if !earlier[t] && t.belongs(instanceID, since) {
				tasks = append(tasks, t)
			}
		}
		for _, t := range page {
			earlier[t] = true
		}
	}
	return tasks, rows.complete, vendors.Verdict{Kind: vendors.Done}
}

// belongs reports whether a row is in the list that was asked for, should the API
// not have filtered it.
func (t task) belongs(instanceID, since string) bool {
	if t.InstanceID != "" && string(t.InstanceID) != instanceID {
		return false
	}
	at := t.started()
	return at == "" || at >= since || t.unfinished()
}

// decodeStatus reads an answer of DescribeTaskInfo.
func decodeStatus(e envelope) (int64, error) {
	var s struct {
		Status wire.Int `json:"status"`
	}
	if err := e.decode(&s); err != nil {
		return 0, err
	}
	if !s.Status.Valid {
		return 0, errors.New("the answer is no status of a task")
	}
	return s.Status.Value, nil
}

// state is how far a task is. What is not known is not taken for an end.
func state(status int64) vendors.TaskState {
	switch status {
	case taskDone:
		return vendors.Succeeded
	case taskFault, taskErrored:
		return vendors.Failed
	}
	return vendors.Running
}
