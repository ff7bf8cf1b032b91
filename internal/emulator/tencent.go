package emulator

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// Facts of Tencent's API 3.0 for Redis. Source: Tencent Cloud documents
// product/239 (API reference) and product/1278 (common parameters and limits).
const (
	tc3Algorithm = "TC3-HMAC-SHA256"
	tcVersion    = "2018-04-12"
)

// tencent answers as Tencent's Redis API, version 3.0.
type tencent struct {
	derived keyCache
	actions map[string]tcAction
}

// tcAction is one API: the fields that it takes, the required ones first.
type tcAction struct {
	required, optional []string
	op                 Operation
	do                 func(*exchange, tcInput) (any, *refusal)
}

// tcInput is the body of any call.
type tcInput struct {
	InstanceId, BackupId, Password, Remark string
	EncryptPassword                        bool
	StorageDays                            *int64
	TaskId                                 *int64
	Limit, Offset                          *int64
	InstanceName, BeginTime, EndTime       string
	TaskTypes, InstanceIds                 []string
	Result                                 []int64
	Status                                 []int64
	SearchKey                              string
	malformed                              string
	given                                  map[string]json.RawMessage
}

func newTencent() *tencent {
	page := []string{"Limit", "Offset"}
	return &tencent{actions: map[string]tcAction{
		"RestoreInstance":      {[]string{"InstanceId", "BackupId"}, []string{"Password"}, Restore, tcRestore},
		"ClearInstance":        {[]string{"InstanceId"}, []string{"Password", "EncryptPassword"}, Flush, tcClear},
		"ManualBackupInstance": {[]string{"InstanceId"}, []string{"Remark", "StorageDays"}, Backup, tcBackUp},
		"DescribeTaskInfo":     {[]string{"TaskId"}, nil, "", tcTaskInfo},
		"DescribeTaskList": {nil, append([]string{
			"InstanceId", "InstanceName", "TaskTypes", "BeginTime", "EndTime", "Result", "OperateUin", "OperatorUin", "ProjectIds", "TaskStatus",
		}, page...), "", tcTaskList},
		"DescribeInstances": {nil, append([]string{
			"InstanceId", "InstanceIds", "Status", "SearchKey", "SearchKeys", "OrderBy", "OrderType", "VpcIds", "SubnetIds", "UniqVpcIds",
			"UniqSubnetIds", "ProjectIds", "RegionIds", "InstanceName", "TypeVersion", "EngineName", "AutoRenew", "BillingMode",
			"Type", "TypeList", "MonitorVersion", "InstanceTags", "TagKeys", "ProductVersions", "AzMode", "TagList",
		}, page...), "", tcInstances},
		"DescribeInstanceBackups": {nil, append([]string{"InstanceId", "InstanceName", "BeginTime", "EndTime", "Status"}, page...), "", tcBackups},
	}}
}

func (t *tencent) read(x *exchange) {
	x.action, x.region = x.r.Header.Get("X-TC-Action"), x.r.Header.Get("X-TC-Region")
	x.op = t.actions[x.action].op
	if a, ok := parseAuthorization(x.r.Header.Get("Authorization"), tc3Algorithm, "Credential"); ok {
		x.key, _, _ = strings.Cut(a.credential, "/")
	}
	in := tcInput{}
	in.decode(x.body)
	x.input = in
	if in.InstanceId != "" {
		x.instances = []string{in.InstanceId}
	} else {
		x.instances = in.InstanceIds
	}
}

// decode keeps the raw fields too: which ones are given must be known exactly,
// in the vendor's case.
func (in *tcInput) decode(body []byte) {
	if err := json.Unmarshal(body, &in.given); err != nil {
		in.malformed = "The request body is not a JSON object."
		return
	}
	if err := json.Unmarshal(body, in); err != nil {
		in.malformed = "A parameter has the wrong type: " + strings.TrimPrefix(err.Error(), "json: ") + "."
	}
}

func (t *tencent) perform(x *exchange) (any, *refusal) {
	in := x.input.(tcInput)
	action, ok := t.actions[x.action]
	switch {
	case !ok:
		return nil, tcRefuse("InvalidAction", "The API "+x.action+" does not exist.")
	case in.given == nil:
		return nil, tcRefuse("InvalidRequest", in.malformed)
	}
	for name := range in.given {
		if !slices.Contains(action.required, name) && !slices.Contains(action.optional, name) {
			return nil, tcRefuse("UnknownParameter", "The parameter `"+name+"` is not recognized.")
		}
	}
	if in.malformed != "" {
		return nil, tcRefuse("InvalidParameter", in.malformed)
	}
	for _, name := range action.required {
		if raw := string(in.given[name]); raw == "" || raw == "null" || raw == `""` {
			return nil, tcRefuse("MissingParameter", "The request is missing a required parameter `"+name+"`.")
		}
	}
	return action.do(x, in)
}

// tcRefuse is an error; all come with HTTP 200.
func tcRefuse(code, message string) *refusal { return &refusal{http.StatusOK, code, message} }

func (t *tencent) throttled(x *exchange) *refusal {
	return tcRefuse("RequestLimitExceeded", "Your current request times exceed the limit of "+x.action+" per second.")
}

func (t *tencent) accept(x *exchange, result any) *answer {
	// RequestId is a member of the result, so the object is put together here.
	fields := map[string]json.RawMessage{}
	raw, err := json.Marshal(result)
	if err == nil {
		err = json.Unmarshal(raw, &fields)
	}
	if err != nil {
		panic("emulator: " + err.Error())
	}
	fields["RequestId"], _ = json.Marshal(x.requestID)
	return jsonAnswer(http.StatusOK, map[string]any{"Response": fields})
}

func (t *tencent) refuse(x *exchange, r *refusal) *answer {
	status := r.status
	if status == 0 {
		status = http.StatusOK
	}
	var body struct {
		Response struct {
			Error     struct{ Code, Message string }
			RequestId string
		}
	}
	body.Response.Error.Code, body.Response.Error.Message = r.code, r.message
	body.Response.RequestId = x.requestID
	return jsonAnswer(status, body)
}
