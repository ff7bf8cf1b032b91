package emulator

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// crsKind names an operation as the rows of the task list do. Filters put
// task_ before it.
var crsKind = map[Operation]string{Flush: "cleanInstance", Restore: "restoreBackup", Backup: "backupInstance"}

// crsStatus is a task's status: 0 waiting, 1 running, 2 succeeded, 3 failed, -1
// execution error.
func crsStatus(x *exchange, w work) int {
	switch w.phase(x.at) {
	case waiting:
		return 0
	case running:
		return 1
	case succeeded:
		return 2
	}
	if x.set.quirks.TaskError {
		return -1
	}
	return 3
}

func crsTaskInfo(x *exchange, params url.Values) (any, *refusal) {
	id, err := strconv.ParseInt(params.Get("requestId"), 10, 64)
	if err != nil {
		return nil, crsRefuse("4000", "The parameter requestId is missing or not a number.")
	}
	w, ok := x.s.store.task(id)
	if !ok {
		return nil, crsRefuse("11201", "The task does not exist.")
	}
	info := map[string]int{"status": crsStatus(x, w)}
	if x.set.quirks.CRSTaskData == "array" {
		return []map[string]int{info}, nil
	}
	return info, nil
}

// crsPage reads limit and offset, which lists require.
func crsPage(params url.Values) (from, n int, r *refusal) {
	from, err1 := strconv.Atoi(params.Get("offset"))
	n, err2 := strconv.Atoi(params.Get("limit"))
	if err1 != nil || err2 != nil {
		return 0, 0, crsRefuse("4000", "The parameters limit and offset are required.")
	}
	if from < 0 || n < 1 || n > 100 {
		return 0, 0, crsRefuse("11201", "limit is 1 to 100, offset starts at 0.")
	}
	return from, n, nil
}

// crsSpan reads beginTime and endTime.
func crsSpan(params url.Values) (func(time.Time) bool, *refusal) {
	within, r := tcSpan(tcInput{BeginTime: params.Get("beginTime"), EndTime: params.Get("endTime")})
	if r != nil {
		return nil, crsRefuse("11201", r.message)
	}
	return within, nil
}

// crsArray reads a flattened array: name.0, name.1, …
func crsArray(params url.Values, name string) []string {
	var out []string
	for key, values := range params {
		if index, ok := strings.CutPrefix(key, name+"."); ok {
			if _, err := strconv.Atoi(index); err == nil {
				out = append(out, values...)
			}
		}
	}
	return out
}

// crsNamed are the instances that a list is about.
func crsNamed(x *exchange, params url.Values) []*instance {
	return tcNamed(x, tcInput{InstanceId: params.Get("redisId")})
}

// crsTaskRow carries no id: a lost one cannot be found again.
type crsTaskRow struct {
	StartTime string `json:"startTime"`
	TaskName  string `json:"taskName"`
	RedisName string `json:"redisName"`
	RedisID   string `json:"redisId"`
	ProjectID int    `json:"projectId"`
	Status    int    `json:"status"`
	Progress  int    `json:"progress"`
}

func crsTaskList(x *exchange, params url.Values) (any, *refusal) {
	from, n, r := crsPage(params)
	if r != nil {
		return nil, r
	}
	within, r := crsSpan(params)
	if r != nil {
		return nil, r
	}
	var all []work
	for _, found := range crsNamed(x, params) {
		all = append(all, found.done(x.at)...)
	}
	slices.SortFunc(all, func(a, b work) int { return cmp.Compare(b.id, a.id) })
	kinds, statuses := crsArray(params, "taskType"), crsArray(params, "taskStatus")
	rows := []crsTaskRow{}
	for _, w := range all {
		row := crsTaskRow{tcTime(w.accepted), crsKind[w.op], w.instance, w.instance, 0, crsStatus(x, w), 0}
		if w.over(x.at) {
			row.Progress = 1
		}
		if within(w.accepted) && (len(kinds) == 0 || slices.Contains(kinds, "task_"+row.TaskName)) &&
			(len(statuses) == 0 || slices.Contains(statuses, strconv.Itoa(row.Status))) {
			rows = append(rows, row)
		}
	}
	return crsListed{len(rows), map[string]any{"redisTaskSet": cut(rows, from, n)}}, nil
}
