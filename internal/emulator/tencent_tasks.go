package emulator

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// tcZone is the zone of all of Tencent's times.
var tcZone = time.FixedZone("UTC+8", 8*60*60)

const tcUnset = "0000-00-00 00:00:00"

func tcTime(t time.Time) string { return t.In(tcZone).Format(time.DateTime) }

// tcKind is how Tencent names an operation: as text for people, as the code and
// as the name that the task list filters by.
var tcKind = map[Operation]struct{ text, code, name string }{
	Flush:   {"redis缓存清空流程", "004", "FLOW_CLEAN"},
	Restore: {"redis恢复备份流程", "010", "FLOW_RESTOREBACKUP"},
	Backup:  {"redis备份流程", "012", "FLOW_BACKUPINSTANCE"},
}

func tcTaskInfo(x *exchange, in tcInput) (any, *refusal) {
	w, ok := x.s.store.task(*in.TaskId)
	if !ok {
		return nil, tcRefuse("InvalidParameter.InvalidParameter", "The task does not exist.")
	}
	info := struct{ Status, StartTime, TaskType, InstanceId, TaskMessage string }{
		Status: tcTaskStatus(x, w), StartTime: tcTime(w.accepted), TaskType: tcKind[w.op].text, InstanceId: w.instance,
	}
	if w.phase(x.at) == failed {
		info.TaskMessage = "the flow failed as the emulator was asked to"
	}
	return info, nil
}

func tcTaskStatus(x *exchange, w work) string {
	status := "succeed"
	switch w.phase(x.at) {
	case waiting:
		status = "preparing"
	case running:
		status = "running"
	case failed:
		status = "failed"
		if x.set.quirks.TaskError {
			status = "error"
		}
	}
	if x.set.quirks.TencentStatus == "capital" {
		return strings.ToUpper(status[:1]) + status[1:]
	}
	return status
}

type tcTaskRow struct {
	TaskId                   any
	StartTime, EndTime       string
	TaskType                 string
	InstanceName, InstanceId string
	ProjectId                int
	Progress                 float64
	Result                   int
}

func tcTaskList(x *exchange, in tcInput) (any, *refusal) {
	from, limit, r := tcPage(in, 20, 100)
	if r != nil {
		return nil, r
	}
	within, r := tcSpan(in)
	if r != nil {
		return nil, r
	}
	var all []work
	for _, found := range tcNamed(x, in) {
		all = append(all, found.done(x.at)...)
	}
	slices.SortFunc(all, func(a, b work) int { return cmp.Compare(b.id, a.id) })
	kept := keep(all, true, func(w work) bool {
		kind := tcKind[w.op]
		return within(w.accepted) &&
			(len(in.TaskTypes) == 0 || slices.Contains(in.TaskTypes, kind.code) || slices.Contains(in.TaskTypes, kind.name)) &&
			(len(in.Result) == 0 || slices.Contains(in.Result, int64(tcTaskRowOf(x, w).Result)))
	})
	rows := []tcTaskRow{}
	for _, w := range cut(kept, from, limit) {
		rows = append(rows, tcTaskRowOf(x, w))
	}
	return struct {
		TotalCount int
		Tasks      []tcTaskRow
	}{len(kept), rows}, nil
}

func tcTaskRowOf(x *exchange, w work) tcTaskRow {
	row := tcTaskRow{
		TaskId: tcTaskID(x, w.id), StartTime: tcTime(w.accepted), EndTime: tcUnset, TaskType: tcKind[w.op].code,
		InstanceName: w.instance, InstanceId: w.instance,
	}
	switch w.phase(x.at) {
	case running:
		row.Result, row.Progress = 1, 0.5
	case succeeded:
		row.Result, row.Progress, row.EndTime = 2, 1, tcTime(w.ends)
	case failed:
		row.Result, row.Progress, row.EndTime = 4, 1, tcTime(w.ends)
	}
	return row
}

// tcPage reads Limit and Offset; an offset must be a multiple of the limit.
func tcPage(in tcInput, size, most int64) (from, n int, r *refusal) {
	var offset int64
	if in.Limit != nil {
		size = *in.Limit
	}
	if in.Offset != nil {
		offset = *in.Offset
	}
	if size < 1 || size > most || offset < 0 || offset%size != 0 {
		return 0, 0, tcRefuse("InvalidParameterValue", "Limit is out of range, or Offset is not a multiple of it.")
	}
	return int(offset), int(size), nil
}

// tcSpan reads BeginTime and EndTime.
func tcSpan(in tcInput) (func(time.Time) bool, *refusal) {
	var times [2]time.Time
	for i, text := range []string{in.BeginTime, in.EndTime} {
		if text == "" {
			continue
		}
		at, err := time.ParseInLocation(time.DateTime, text, tcZone)
		if err != nil {
			return nil, tcRefuse("InvalidParameterValue", "Times must look like 2026-01-02 03:04:05.")
		}
		times[i] = at
	}
	return func(t time.Time) bool {
		t = t.Truncate(time.Second)
		return !t.Before(times[0]) && (times[1].IsZero() || !t.After(times[1]))
	}, nil
}

// tcNamed are the instances that a list is about: those named, made if need be,
// or all of the region.
func tcNamed(x *exchange, in tcInput) []*instance {
	ids := in.InstanceIds
	if in.InstanceId != "" {
		ids = append([]string{in.InstanceId}, ids...)
	}
	if len(ids) == 0 {
		return x.s.store.list(x.vendor, x.region)
	}
	var out []*instance
	for _, id := range ids {
		if found := x.instance(id); found != nil && !slices.Contains(out, found) {
			out = append(out, found)
		}
	}
	return out
}
