package emulator

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// crsPath is the only path of Tencent's API 2.0. Source: Tencent Cloud
// documents api/239/8401 and its neighbours, and 239/1757 for the codes.
const crsPath = "/v2/index.php"

// crs answers as Tencent's legacy Redis API.
type crs struct {
	replays replayGuard
	actions map[string]crsAction
}

type crsAction struct {
	op Operation
	do func(*exchange, url.Values) (any, *refusal)
}

func newCRS() *crs {
	return &crs{replays: replayGuard{seen: map[string]struct{}{}}, actions: map[string]crsAction{
		"RestoreInstance":      {Restore, crsRestore},
		"ClearRedis":           {Flush, crsClear},
		"ManualBackupInstance": {Backup, crsBackUp},
		"DescribeTaskInfo":     {"", crsTaskInfo},
		"GetRedisTaskList":     {"", crsTaskList},
		"DescribeRedis":        {"", crsInstances},
		"GetRedisBackupList":   {"", crsBackups},
	}}
}

// read takes the parameters of a GET from the query and of a POST from the
// body, never from both.
func (c *crs) read(x *exchange) {
	text := string(x.body)
	if x.r.Method == http.MethodGet {
		text = x.r.URL.RawQuery
	}
	// What cannot be decoded is missing then, and refused for that.
	params, _ := url.ParseQuery(text)
	x.input = params
	x.action, x.key, x.region = params.Get("Action"), params.Get("SecretId"), params.Get("Region")
	x.op = c.actions[x.action].op
	if id := params.Get("redisId"); id != "" {
		x.instances = []string{id}
	}
}

func (c *crs) perform(x *exchange) (any, *refusal) {
	action, ok := c.actions[x.action]
	if !ok {
		return nil, crsRefuse("6100", "The API "+x.action+" does not exist here.")
	}
	return action.do(x, x.input.(url.Values))
}

// crsNames are the names that go with the codes.
var crsNames = map[string]string{
	"4000": "InvalidParameter", "4100": "AuthFailure", "4101": "UnauthorizedOperation", "4104": "SecretIdNotFound",
	"4105": "TokenFailure", "4400": "RequestLimitExceeded", "4500": "ReplayAttack", "4600": "UnsupportedProtocol",
	"5000": "ResourceNotFound", "5100": "OperationFailed", "5400": "PartlyFailed", "6000": "InternalError",
	"6100": "ActionNotSupported", "6200": "ActionUnderMaintenance",
	"10501": "PasswordEmpty", "10701": "InstanceNotExists", "10702": "InstanceStatusAbnormal", "10707": "InstanceLockedError",
	"10710": "BackupLockedError", "10711": "BackupStatusAbnormal", "10712": "PasswordError", "11201": "InvalidParameter",
	"11213": "BackupNotExists",
}

func crsRefuse(code, message string) *refusal { return &refusal{http.StatusOK, code, message} }

func (c *crs) throttled(*exchange) *refusal {
	return crsRefuse("4400", "The number of requests exceeds the quota.")
}

// crsListed is the result of a list, whose count stands beside the data.
type crsListed struct {
	total int
	data  any
}

type crsEnvelope struct {
	Code       any    `json:"code"`
	Message    string `json:"message"`
	CodeDesc   string `json:"codeDesc"`
	TotalCount *int   `json:"totalCount,omitempty"`
	Data       any    `json:"data,omitempty"`
}

func (c *crs) accept(x *exchange, result any) *answer {
	e := crsEnvelope{Code: crsCode(x, "0"), CodeDesc: "Success", Data: result}
	if l, ok := result.(crsListed); ok {
		e.Data, e.TotalCount = l.data, &l.total
	}
	return jsonAnswer(http.StatusOK, e)
}

func (c *crs) refuse(x *exchange, r *refusal) *answer {
	e := crsEnvelope{Code: crsCode(x, r.code), Message: r.message, CodeDesc: crsNames[r.code]}
	if e.CodeDesc == "" {
		e.CodeDesc = "Error"
	}
	if x.set.quirks.CRSCode == "bracketed" && len(r.code) == 5 {
		e.Code, e.Message, e.CodeDesc = 4000, "("+r.code+")"+r.message, crsNames["4000"]
	}
	status := r.status
	if status == 0 {
		status = http.StatusOK
	}
	return jsonAnswer(status, e)
}

// crsCode writes a code as number or, if the quirk asks for it, as text.
func crsCode(x *exchange, code string) any {
	n, err := strconv.Atoi(strings.TrimSpace(code))
	if err != nil || x.set.quirks.CRSCode == "string" {
		return code
	}
	return n
}

// reset forgets the nonces.
func (c *crs) reset() { c.replays.reset() }
