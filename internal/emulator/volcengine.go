package emulator

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
)

// Facts of Volcengine's API. Source: Volcengine docs 6293/65743 (requests),
// 6293/65745 (answers), 6293/73664 and the platform's common error pages.
const (
	volcAlgorithm = "HMAC-SHA256"
	volcVersion   = "2020-12-07"
)

// volcengine answers as Volcengine's Redis API.
type volcengine struct {
	derived keyCache
	actions map[string]func(*exchange, volcInput) (any, *refusal)

	mu     sync.Mutex
	tokens map[string]volcReplay
	order  []string // of tokens, oldest first
}

// volcReplay is the first answer to a ClientToken.
type volcReplay struct {
	body   string
	result any
}

func newVolcengine() *volcengine {
	v := &volcengine{tokens: map[string]volcReplay{}}
	v.actions = map[string]func(*exchange, volcInput) (any, *refusal){
		"RestartDBInstance":        v.restart,
		"FlushDBInstance":          v.flush,
		"RestoreDBInstance":        v.restore,
		"CreateBackup":             v.createBackup,
		"DescribeDBInstanceDetail": v.describeDetail,
		"DescribeDBInstances":      v.describeInstances,
		"DescribeBackups":          v.describeBackups,
		"DescribePitrTimeWindow":   v.describeWindow,
	}
	return v
}

var volcOperations = map[string]Operation{
	"RestartDBInstance": Restart, "FlushDBInstance": Flush, "RestoreDBInstance": Restore, "CreateBackup": Backup,
}

// volcInput is the body of any Volcengine call. Fields that are unknown here
// are ignored, as the vendor does.
type volcInput struct {
	InstanceId, ClientToken                       string
	BackupType, BackupPointId, TimePoint          string
	BackupPointName, Scope, StartTime, EndTime    string
	RegionId, InstanceName, Status, EngineVersion string
	BackupStrategyList                            []string
	PageNumber, PageSize                          *int
	ServiceType, ChargeType, ProjectName, ZoneId  string
	malformed                                     bool
}

func (v *volcengine) read(x *exchange) {
	q := x.r.URL.Query()
	x.action = q.Get("Action")
	x.op = volcOperations[x.action]
	if a, ok := parseAuthorization(x.r.Header.Get("Authorization"), volcAlgorithm, "Credential"); ok {
		parts := append(strings.Split(a.credential, "/"), "", "", "")
		x.key, x.region = parts[0], parts[2]
	}
	var in volcInput
	if len(x.body) > 0 && json.Unmarshal(x.body, &in) != nil {
		in.malformed = true
	}
	x.input, x.token = in, in.ClientToken
	if in.InstanceId != "" {
		x.instances = []string{in.InstanceId}
	}
}

func (v *volcengine) perform(x *exchange) (any, *refusal) {
	in := x.input.(volcInput)
	if in.malformed {
		return nil, volcRefuse("ParamError", "The request body is not valid JSON.")
	}
	do, ok := v.actions[x.action]
	if !ok {
		return nil, &refusal{http.StatusNotFound, "InvalidActionOrVersion", "Could not find operation " + x.action + " for version " + volcVersion + "."}
	}
	if x.op == "" || in.ClientToken == "" {
		return do(x, in)
	}
	return v.once(x, in, do)
}

// volcCodes are the gateway's numbers. Product errors have none.
var volcCodes = map[string]int{
	"MissingParameter": 100002, "MissingAuthenticationToken": 100003, "MissingRequestInfo": 100004,
	"MissingSignature": 100005, "InvalidTimestamp": 100006, "InvalidActionOrVersion": 100008,
	"InvalidAccessKey": 100009, "SignatureDoesNotMatch": 100010, "LackPolicy": 100012, "AccessDenied": 100013,
	"InternalError": 100014, "FailToConnect": 100015, "InternalServiceTimeout": 100016,
	"FlowLimitExceeded": 100018, "AccountFlowLimitExceeded": 100027,
}

// volcRefuse is a product error, which comes with HTTP 400.
func volcRefuse(code, message string) *refusal { return &refusal{http.StatusBadRequest, code, message} }

func (v *volcengine) throttled(x *exchange) *refusal {
	return &refusal{x.set.quirks.VolcengineThrottle, "AccountFlowLimitExceeded", "The request rate of " + x.action + " exceeds the limit of the account."}
}

type volcMetadata struct {
	RequestId, Action, Version, Service, Region string
	Error                                       *volcError `json:",omitempty"`
}

type volcError struct {
	CodeN         int `json:",omitempty"`
	Code, Message string
}

func (v *volcengine) metadata(x *exchange) volcMetadata {
	// The vendor's request ids are a date and hexadecimal digits without dashes.
	id := x.at.UTC().Format("20060102150405") + strings.ToUpper(strings.ReplaceAll(x.requestID, "-", ""))[:20]
	return volcMetadata{RequestId: id, Action: x.action, Version: volcVersion, Service: "Redis", Region: x.region}
}

func (v *volcengine) accept(x *exchange, result any) *answer {
	return jsonAnswer(http.StatusOK, struct {
		ResponseMetadata volcMetadata
		Result           any
	}{v.metadata(x), result})
}

func (v *volcengine) refuse(x *exchange, r *refusal) *answer {
	m := v.metadata(x)
	m.Error = &volcError{volcCodes[r.code], r.code, r.message}
	status := r.status
	if status == 0 {
		status = http.StatusBadRequest
	}
	return jsonAnswer(status, struct{ ResponseMetadata volcMetadata }{m})
}

// jsonAnswer encodes one of the emulator's own types, which cannot fail.
func jsonAnswer(status int, v any) *answer {
	body, err := json.Marshal(v)
	if err != nil {
		panic("emulator: " + err.Error())
	}
	return newAnswer(status, "application/json; charset=utf-8", body)
}
