package emulator

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

const hwAlgorithm = "SDK-HMAC-SHA256"

// huawei answers as Huawei's Distributed Cache Service, API version 2. Source:
// the DCS API reference at support.huaweicloud.com (RestartOrFlushInstances,
// ErrorCode and the status page dcs-api-0312047).
type huawei struct{}

// hwInput is a Huawei call taken apart.
type hwInput struct {
	project, instance string
	route             *hwRoute
	body              hwBody
	empty, malformed  bool
}

type hwBody struct {
	Instances    []string `json:"instances"`
	Action       string   `json:"action"`
	BackupID     string   `json:"backup_id"`
	Remark       string   `json:"remark"`
	BackupFormat string   `json:"backup_format"`
}

// hwRoute is one operation: {id} in the pattern stands for an instance.
type hwRoute struct {
	method, pattern, action string
	op                      Operation
	do                      func(*exchange, hwInput) (any, *refusal)
}

var hwRoutes = []hwRoute{
	{"PUT", "instances/status", "RestartOrFlushInstances", "", hwChangeStatus},
	{"GET", "instances/status", "ListNumberOfInstancesInDifferentStatus", "", hwCountStatuses},
	{"GET", "instances/statistic", "ListStatisticsOfRunningInstances", "", hwStatistics},
	{"GET", "instances", "ListInstances", "", hwListInstances},
	{"GET", "instances/{id}", "ShowInstance", "", hwShowInstance},
	{"POST", "instances/{id}/restores", "RestoreInstance", Restore, hwRestore},
	{"GET", "instances/{id}/restores", "ListRestoreRecords", "", hwListRestores},
	{"POST", "instances/{id}/backups", "CopyInstance", Backup, hwBackUp},
	{"GET", "instances/{id}/backups", "ListBackupRecords", "", hwListBackups},
	{"GET", "instances/{id}/tasks", "ListBackgroundTask", "", hwListTasks},
}

// match reports whether the route fits, and the instance in the path.
func (rt hwRoute) match(method string, path []string) (string, bool) {
	want := strings.Split(rt.pattern, "/")
	if method != rt.method || len(want) != len(path) {
		return "", false
	}
	id := ""
	for i, w := range want {
		if w == "{id}" {
			id = path[i]
		} else if w != path[i] {
			return "", false
		}
	}
	return id, true
}

func (huawei) read(x *exchange) {
	parts := strings.Split(strings.Trim(x.r.URL.Path, "/"), "/")
	in := hwInput{project: "", empty: len(x.body) == 0}
	if len(parts) > 1 {
		in.project = parts[1]
	}
	x.region = hwRegion(x.r.Host, in.project)
	if a, ok := parseAuthorization(x.r.Header.Get("Authorization"), hwAlgorithm, "Access"); ok {
		x.key = a.credential
	}
	for i, rt := range hwRoutes {
		if id, ok := rt.match(x.r.Method, parts[min(2, len(parts)):]); ok {
			in.route, in.instance = &hwRoutes[i], id
			x.action, x.op = rt.action, rt.op
			break
		}
	}
	if !in.empty {
		in.malformed = json.Unmarshal(x.body, &in.body) != nil
	}
	in.describe(x)
	x.input = in
}

// describe tells the record what the call is about.
func (in hwInput) describe(x *exchange) {
	x.token = in.body.Remark
	if in.instance != "" {
		x.instances = []string{in.instance}
	}
	if x.action == "RestartOrFlushInstances" {
		x.instances = in.body.Instances
		x.op = hwActions[in.body.Action]
	}
}

// hwRegion is the region that quotas count by. It is in the host
// (dcs.<region>.myhuaweicloud.com); on any other host the project stands for
// it, since each project belongs to one region.
func hwRegion(host, project string) string {
	if rest, ok := strings.CutPrefix(host, "dcs."); ok {
		region, _, _ := strings.Cut(rest, ".")
		return region
	}
	return project
}

func (huawei) perform(x *exchange) (any, *refusal) {
	in := x.input.(hwInput)
	switch {
	case in.route == nil && hwOtherMethod(x):
		return nil, &refusal{http.StatusMethodNotAllowed, "DCS.5001", "The request method is not allowed."}
	case in.route == nil:
		return nil, &refusal{http.StatusNotFound, "DCS.4001", "The requested URL does not exist."}
	case in.route.method != http.MethodGet && in.empty:
		return nil, hwRefuse("DCS.4004", "The request body is empty.")
	case in.route.method != http.MethodGet && in.malformed:
		return nil, hwRefuse("DCS.4005", "The request body is not valid JSON.")
	}
	return in.route.do(x, in)
}

// hwOtherMethod reports whether another method would have found the path.
func hwOtherMethod(x *exchange) bool {
	parts := strings.Split(strings.Trim(x.r.URL.Path, "/"), "/")
	return slices.ContainsFunc(hwRoutes, func(rt hwRoute) bool {
		_, ok := rt.match(rt.method, parts[min(2, len(parts)):])
		return ok
	})
}

func hwRefuse(code, message string) *refusal { return &refusal{http.StatusBadRequest, code, message} }

func (huawei) throttled(x *exchange) *refusal {
	return &refusal{http.StatusTooManyRequests, "APIGW.0308", "The throttling threshold has been reached: policy user over ratelimit,limit:200,time:1 second"}
}

// hwNoContent is the result of a list without rows.
type hwNoContent struct{}

func (huawei) accept(x *exchange, result any) *answer {
	var a *answer
	if _, none := result.(hwNoContent); none {
		a = newAnswer(http.StatusNoContent, "application/json", nil)
	} else {
		a = jsonAnswer(http.StatusOK, result)
	}
	a.header.Set("X-Request-Id", hwRequestID(x))
	return a
}

func (huawei) refuse(x *exchange, r *refusal) *answer {
	status := r.status
	if status == 0 {
		status = http.StatusBadRequest
	}
	var a *answer
	if strings.HasPrefix(r.code, "APIG") {
		a = jsonAnswer(status, struct {
			Code      string `json:"error_code"`
			Message   string `json:"error_msg"`
			RequestID string `json:"request_id"`
		}{r.code, r.message, hwRequestID(x)})
	} else {
		a = jsonAnswer(status, struct {
			Code    string  `json:"error_code"`
			Message string  `json:"error_msg"`
			Extra   *string `json:"error_ext_msg"`
		}{hwCode(x.set.quirks.HuaweiCodes, r.code), r.message, nil})
	}
	a.header.Set("X-Request-Id", hwRequestID(x))
	return a
}

func hwRequestID(x *exchange) string { return strings.ReplaceAll(x.requestID, "-", "") }

// hwCode writes a DCS code the way the quirk asks for.
func hwCode(style, code string) string {
	number, ok := strings.CutPrefix(code, "DCS.")
	if !ok || len(number) != 4 {
		return code
	}
	switch style {
	case "spaced":
		return "DCS. " + number
	case "legacy":
		return hwLegacyCode(number)
	}
	return code
}

// hwLegacyCode pairs the two families of codes, by equal texts in the tables.
func hwLegacyCode(number string) string {
	switch number {
	case "3022":
		return "111404022"
	case "4001":
		return "111404001"
	case "5001":
		return "111405001"
	}
	status := map[byte]string{'1': "401", '2': "403", '3': "403", '4': "400", '5': "500"}[number[0]]
	return "111" + status + number[1:]
}
