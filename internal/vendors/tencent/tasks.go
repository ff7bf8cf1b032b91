package tencent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

// Results of a task in the list. Source: Tencent Cloud docs 239/39374.
const (
	resultInit    = 0
	resultRunning = 1
	resultDone    = 2
	resultFailed  = 4
)

// task is a row of the list of tasks.
type task struct {
	ID         wire.String `json:"TaskId"`
	Type       wire.String `json:"TaskType"`
	InstanceID wire.String `json:"InstanceId"`
	Start      wire.String `json:"StartTime"`
	Result     wire.Int
}

// unfinished reports a task that waits or runs.
func (t task) unfinished() bool {
	return t.Result.Valid && (t.Result.Value == resultInit || t.Result.Value == resultRunning)
}

// started gives the start in the API's own form, in which later is greater, and
// empty for a task that has none. It has no zone and is compared with other
// values of the API only.
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

// like compares a row with an operation. The documentation pairs codes with
// names, and does not say which of them rows carry.
func (t task) like(op vendors.Operation) likeness {
	code := strings.ToUpper(string(t.Type))
	if code != "" && strings.Trim(code, "0123456789") == "" {
		code = fmt.Sprintf("%03s", code)
	}
	known := len(code) == 3 && strings.Trim(code, "0123456789") == "" || strings.HasPrefix(code, "FLOW_")
	switch {
	case op == vendors.Flush && (code == "004" || code == "FLOW_CLEAN"):
		return same
	case op == vendors.Restore && (code == "010" || code == "FLOW_RESTOREBACKUP"):
		return same
	case op == vendors.Flush && (code == "025" || code == "FLOW_CLEANDB"):
		return perhaps // Clears one database; better a question too many.
	case !known:
		return perhaps
	}
	return other
}

// taskPage is a result of DescribeTaskList.
type taskPage struct {
	Total wire.Int `json:"TotalCount"`
	Tasks []task
}

func decodeTasks(result json.RawMessage) (taskPage, error) {
	var p taskPage
	if err := wire.Unmarshal(result, &p); err != nil || p.Tasks == nil && !p.Total.Valid {
		return taskPage{}, errors.New("the result is no list of tasks")
	}
	return p, nil
}

// tasks asks for one page of the list of tasks.
func (c *Client) tasks(ctx context.Context, params map[string]any) (p taskPage, v vendors.Verdict) {
	v = c.look(ctx, actionTasks, params, func(result json.RawMessage, _ func(string) string) (err error) {
		p, err = decodeTasks(result)
		return err
	})
	return p, v
}

// history gives the tasks of an instance in the last 30 days, which is as far as
// the API looks back. It is complete unless the walk ended before the list.
func (c *Client) history(ctx context.Context, instanceID string) (tasks []task, complete bool, v vendors.Verdict) {
	var rows pages
	seen := map[wire.String]bool{}
	for rows.next() {
		p, v := c.tasks(ctx, map[string]any{"InstanceId": instanceID, "Limit": pageSize, "Offset": rows.offset()})
		if v.Kind != vendors.Done {
			return nil, false, v
		}
		for _, t := range p.Tasks {
			// Rows shift to the next page while new ones come.
			if (t.InstanceID == "" || string(t.InstanceID) == instanceID) && (t.ID == "" || !seen[t.ID]) {
				seen[t.ID] = true
				tasks = append(tasks, t)
			}
		}
		rows.read(len(p.Tasks), p.Total)
	}
	return tasks, rows.complete, vendors.Verdict{Kind: vendors.Done}
}

// status is a result of DescribeTaskInfo.
type status struct {
	Status     wire.String
	InstanceID wire.String `json:"InstanceId"`
	Message    wire.String `json:"TaskMessage"`
}

// decodeStatus reads a result of DescribeTaskInfo.
func decodeStatus(result json.RawMessage, instanceID string) (status, error) {
	var s status
	if err := wire.Unmarshal(result, &s); err != nil || s.Status == "" {
		return status{}, errors.New("the result is no status of a task")
	}
	if s.InstanceID != "" && string(s.InstanceID) != instanceID {
		return status{}, errors.New("the task belongs to another instance")
	}
	return s, nil
}

// state is how far the task is. What is not known is not taken for an end.
func (s status) state() vendors.TaskState {
	switch strings.ToLower(string(s.Status)) {
	case "succeed":
		return vendors.Succeeded
	case "failed", "error":
		return vendors.Failed
	}
	return vendors.Running
}

// task asks for one task. Its message is fit to be printed.
func (c *Client) task(ctx context.Context, id, instanceID string) (found status, v vendors.Verdict) {
	id, ok := taskID(wire.String(id))
	if !ok {
		return status{}, refused.verdict("the task has no id that could be asked for")
	}
	// As a number, which is how the API declares it, and never through a float.
	params := map[string]any{"TaskId": json.Number(id)}
	v = c.look(ctx, actionTask, params, func(result json.RawMessage, clean func(string) string) (err error) {
		found, err = decodeStatus(result, instanceID)
		found.Message = wire.String(clean(string(found.Message)))
		return err
	})
	v.Response.TaskID = id
	return found, v
}
