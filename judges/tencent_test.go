package judges

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	tcerr "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"
	tchttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"

	"github.com/seed-7b870224/sluice/internal/emulator"
	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/tencent"
)

const (
	tcID      = "crs-5a4py64p"
	tcBackup  = "678362566696298532848117"
	tcRegion  = "ap-guangzhou"
	tcVersion = "2018-04-12"
)

// tcSDK is the vendor's common client: there is no need for the product's own
// module, whose requests are nothing but typed structs. The region breaker, which
// diverts calls to another host, is off.
func tcSDK(endpoint, secretID, secretKey, token string, via http.RoundTripper) *common.Client {
	p := profile.NewClientProfile()
	p.DisableRegionBreaker = true
	p.HttpProfile.Scheme = "HTTP"
	p.HttpProfile.Endpoint = endpoint
	p.HttpProfile.ReqTimeout = 10
	client := common.NewCommonClient(common.NewTokenCredential(secretID, secretKey, token), tcRegion, p)
	client.WithHttpTransport(via)
	return client
}

// tcAnswer holds a result in the shape of the vendor's public model.
type tcAnswer[T any] struct {
	*tchttp.BaseResponse
	Response *T `json:"Response"`
}

// tcAsk makes one call of the product's API.
func tcAsk[T any](client *common.Client, action string, params map[string]any) (*T, error) {
	request := tchttp.NewCommonRequest("redis", tcVersion, action)
	if err := request.SetActionParameters(params); err != nil {
		return nil, err
	}
	answer := tcAnswer[T]{BaseResponse: &tchttp.BaseResponse{}}
	if err := client.Send(request, &answer); err != nil {
		return nil, err
	}
	return answer.Response, nil
}

// The fields that the adapter reads, typed as in the vendor's model of version
// 2018-04-12.
type (
	tcTask struct {
		TaskId    *int64
		RequestId *string
	}
	tcTaskInfo struct {
		Status, StartTime, TaskType, InstanceId, TaskMessage, RequestId *string
	}
	tcTaskList struct {
		TotalCount *int64
		Tasks      []*struct {
			TaskId                       *int64
			StartTime, EndTime, TaskType *string
			InstanceName, InstanceId     *string
			ProjectId, Result            *int64
			Progress                     *float64
		}
		RequestId *string
	}
	tcInstances struct {
		TotalCount  *int64
		InstanceSet []*struct {
			InstanceId, InstanceName, Region, Createtime, ProductType *string
			Status, Port, Type, ZoneId, RegionId                      *int64
			Size, SizeUsed                                            *float64
			NoAuth                                                    *bool
		}
		RequestId *string
	}
	tcBackups struct {
		TotalCount *int64
		BackupSet  []*struct {
			StartTime, BackupId, BackupType, Remark, InstanceId, EndTime, FileType *string
			Status, Locked, BackupSize                                             *int64
		}
		RequestId *string
	}
)

func TestTencentMutations(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		action, kind string
		op           emulator.Operation
		params       map[string]any
	}{
		{"ClearInstance", "004", emulator.Flush, map[string]any{"InstanceId": tcID, "Password": "Pass1word"}},
		{"RestoreInstance", "010", emulator.Restore, map[string]any{"InstanceId": tcID, "BackupId": tcBackup}},
	} {
		t.Run(tt.action, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			client := tcSDK(c.host(), emulator.DefaultAccessKey, emulator.DefaultSecretKey, "", newTap(t))
			task := must(tcAsk[tcTask](client, tt.action, tt.params))(t)
			if value(task.TaskId) == 0 || value(task.RequestId) == "" {
				t.Fatalf("answer %+v", task)
			}
			tcWantTask(t, client, *task.TaskId, "running", tt.kind, 1)
			c.finish()
			tcWantTask(t, client, *task.TaskId, "succeed", tt.kind, 2)
			c.wantEffects(t, tcID, tt.op, 1)
		})
	}
}

// tcWantTask checks a task as both look-ups show it.
func tcWantTask(t *testing.T, client *common.Client, id int64, status, kind string, result int64) {
	t.Helper()
	info := must(tcAsk[tcTaskInfo](client, "DescribeTaskInfo", map[string]any{"TaskId": id}))(t)
	want(t, "task's status", value(info.Status), status)
	want(t, "task's instance", value(info.InstanceId), tcID)
	list := must(tcAsk[tcTaskList](client, "DescribeTaskList", map[string]any{"InstanceId": tcID, "Limit": 100, "Offset": 0}))(t)
	want(t, "tasks in all", value(list.TotalCount), 1)
	if len(list.Tasks) != 1 {
		t.Fatalf("%d tasks", len(list.Tasks))
	}
	row := list.Tasks[0]
	want(t, "listed task", value(row.TaskId), id)
	want(t, "listed task's type", value(row.TaskType), kind)
	want(t, "listed task's instance", value(row.InstanceId), tcID)
	want(t, "listed task's result", value(row.Result), result)
}

func TestTencentLookups(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	client := tcSDK(c.host(), emulator.DefaultAccessKey, emulator.DefaultSecretKey, "", newTap(t))

	list := must(tcAsk[tcInstances](client, "DescribeInstances", map[string]any{"InstanceId": tcID, "Limit": 1, "Offset": 0}))(t)
	want(t, "instances in all", value(list.TotalCount), 1)
	if len(list.InstanceSet) != 1 {
		t.Fatalf("%d instances", len(list.InstanceSet))
	}
	want(t, "id", value(list.InstanceSet[0].InstanceId), tcID)
	want(t, "status", value(list.InstanceSet[0].Status), 2)
	want(t, "region", value(list.InstanceSet[0].Region), tcRegion)

	backups := must(tcAsk[tcBackups](client, "DescribeInstanceBackups", map[string]any{"InstanceId": tcID, "Limit": 100, "Offset": 0}))(t)
	want(t, "backups in all", value(backups.TotalCount), 2)
	if len(backups.BackupSet) != 2 {
		t.Fatalf("%d backups", len(backups.BackupSet))
	}
	want(t, "first backup", value(backups.BackupSet[0].BackupId), tcBackup)
	want(t, "first backup's status", value(backups.BackupSet[0].Status), 2)
	want(t, "second backup's status", value(backups.BackupSet[1].Status), -1)

	must(tcAsk[tcTask](client, "ClearInstance", map[string]any{"InstanceId": tcID}))(t)
	list = must(tcAsk[tcInstances](client, "DescribeInstances", map[string]any{"InstanceIds": []string{tcID}, "Limit": 20, "Offset": 0}))(t)
	want(t, "status during the work", value(list.InstanceSet[0].Status), 1)
}

func TestTencentErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, secretKey, id, code string }{
		{"wrong secret", "wrong", tcID, "AuthFailure.SignatureFailure"},
		{"unknown instance", emulator.DefaultSecretKey, "crs-missing1", "ResourceNotFound.InstanceNotExists"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			client := tcSDK(c.host(), emulator.DefaultAccessKey, tt.secretKey, "", newTap(t))
			_, flush := tcAsk[tcTask](client, "ClearInstance", map[string]any{"InstanceId": tt.id})
			_, restore := tcAsk[tcTask](client, "RestoreInstance", map[string]any{"InstanceId": tt.id, "BackupId": tcBackup})
			_, backups := tcAsk[tcBackups](client, "DescribeInstanceBackups", map[string]any{"InstanceId": tt.id})
			for _, err := range []error{flush, restore, backups} {
				var failure *tcerr.TencentCloudSDKError
				if !errors.As(err, &failure) {
					t.Fatalf("error %T %v is no TencentCloudSDKError", err, err)
				}
				want(t, "code", failure.Code, tt.code)
				if failure.RequestId == "" || failure.Message == "" {
					t.Errorf("the error has no request id or no message: %v", failure)
				}
			}
			c.wantEffects(t, tt.id, "", 0)
		})
	}
}

// trap is a transport that sends nothing and keeps the request.
type trap struct {
	request *http.Request
	body    []byte
}

func (p *trap) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	p.request, p.body = r, body
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(`{"Response":{"RequestId":"0"}}`)), Request: r,
	}, err
}

func TestTencentSignersAgree(t *testing.T) {
	t.Parallel()
	d := newDice(t)
	for i := range signerCases {
		id, key, token := d.text(plain, 36), d.text(awkward, 40), d.maybe(plain+"+/=", 60)
		host, service, at := d.host(), strings.ToLower(d.text(plain, 6)), d.when()
		if i%2 == 0 {
			service = "redis"
		}
		p := &trap{}
		request := tchttp.NewCommonRequest(service, tcVersion, d.text(plain, 20))
		params := map[string]any{}
		for name, v := range d.members(plain) {
			params[name] = v
		}
		if err := request.SetActionParameters(params); err != nil {
			t.Fatal(err)
		}
		// A timestamp of the caller's takes the place of the SDK's own.
		request.SetHeader(map[string]string{"X-TC-Timestamp": strconv.FormatInt(at.Unix(), 10)})
		if err := tcSDK(host, id, key, token, p).Send(request, tchttp.NewCommonResponse()); err != nil {
			t.Fatal(err)
		}
		message := tencent.Message{
			Service: service, Method: p.request.Method, Query: p.request.URL.RawQuery, Body: p.body, At: at,
			Headers: map[string]string{"host": p.request.Host, "content-type": p.request.Header.Get("Content-Type")},
		}
		expected := p.request.Header.Get("Authorization")
		if got := message.Authorization(id, secret.New(key)); got != expected {
			t.Fatalf("case %d: our authorization is\n%s, theirs\n%s", i, got, expected)
		}
		if service != "redis" {
			continue
		}
		ours := must(http.NewRequest(http.MethodPost, "http://"+host+"/", nil))(t)
		tencent.Sign(ours, p.body, vendors.Credentials{AccessKey: id, SecretKey: secret.New(key), SessionToken: secret.New(token)}, at)
		for _, name := range []string{"Authorization", "X-TC-Timestamp", "X-TC-Token", "Content-Type"} {
			want(t, name, ours.Header.Get(name), p.request.Header.Get(name))
		}
	}
}

// TestTencentKeepsItsClock makes sure that the emulator takes what the SDK signs
// at the edges of the five minutes, and nothing beyond.
func TestTencentKeepsItsClock(t *testing.T) {
	t.Parallel()
	for ahead, code := range map[time.Duration]string{4 * time.Minute: "", 6 * time.Minute: "AuthFailure.SignatureExpire"} {
		c := newCloud(t)
		c.ahead.Store(int64(ahead))
		client := tcSDK(c.host(), emulator.DefaultAccessKey, emulator.DefaultSecretKey, "", newTap(t))
		_, err := tcAsk[tcTask](client, "ClearInstance", map[string]any{"InstanceId": tcID})
		var failure *tcerr.TencentCloudSDKError
		if errors.As(err, &failure) {
			want(t, "code", failure.Code, code)
		} else if code != "" || err != nil {
			t.Errorf("clock %s ahead: error %v, want code %q", ahead, err, code)
		}
	}
}
