package emulator

import (
	"maps"
	"strings"
)

// hwListTasks lists background tasks. Restarts, flushes, restores and backups
// are not among them, so the list is empty.
func hwListTasks(x *exchange, in hwInput) (any, *refusal) {
	if _, r := hwTarget(x, in.instance); r != nil {
		return nil, r
	}
	if _, _, r := hwPage(x, 10); r != nil {
		return nil, r
	}
	var count any = "0"
	if x.set.quirks.HuaweiTaskCount == "number" {
		count = 0
	}
	return struct {
		Count any        `json:"task_count"`
		Tasks []struct{} `json:"tasks"`
	}{count, []struct{}{}}, nil
}

// hwCountStatuses counts instances by status, per engine and together.
func hwCountStatuses(x *exchange, _ hwInput) (any, *refusal) {
	none := map[string]any{}
	for _, s := range []string{
		"paying", "freezing", "migrating", "flushing", "upgrading", "restoring", "extending", "creating", "running",
		"error", "frozen", "createfailed", "restarting",
	} {
		none[s+"_count"] = 0
	}
	redis := maps.Clone(none)
	for _, found := range x.s.store.list(x.vendor, x.region) {
		name := strings.ToLower(hwStatus(found.look(x.at))) + "_count"
		if n, ok := redis[name].(int); ok {
			redis[name] = n + 1
		}
	}
	all := maps.Clone(redis)
	all["redis"], all["memcached"] = redis, none
	return all, nil
}

type hwStatistic struct {
	InstanceID string `json:"instance_id"`
	Keys       int64  `json:"keys"`
	UsedMemory int64  `json:"used_memory"`
	MaxMemory  int64  `json:"max_memory"`
}

// hwStatistics shows the running instances. An instance that was flushed has no
// keys: nothing writes to it.
func hwStatistics(x *exchange, _ hwInput) (any, *refusal) {
	rows := []hwStatistic{}
	for _, found := range x.s.store.list(x.vendor, x.region) {
		v := found.look(x.at)
		if hwStatus(v) != "RUNNING" {
			continue
		}
		row := hwStatistic{v.id, 1000, 128, 1024}
		for _, w := range found.done(x.at) {
			if w.op == Flush && w.over(x.at) && !w.failed {
				row.Keys = 0
			}
		}
		rows = append(rows, row)
	}
	return struct {
		Statistics []hwStatistic `json:"statistics"`
	}{rows}, nil
}
