package judges

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	tcerr "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"
	tchttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"

	"github.com/seed-7b870224/sluice/internal/emulator"
	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/tencentcrs"
)

// No SDK speaks Tencent's API 2.0. But the common module of 3.0 still signs in the
// oldest way, which is that of 2.0: sent to the path of 2.0 it makes a valid call,
// signed throughout by the vendor's own code.

const (
	crsPath   = "/v2/index.php"
	crsBackup = "e824aecc-ef5e-11e6-a2c7-525400082493"
)

// crsCall is a request of any action; the SDK reads the parameters from the tags.
type crsCall struct {
	*tchttp.BaseRequest
	RedisID   *string `name:"redisId"`
	Password  *string `name:"password"`
	BackupID  *string `name:"backupId"`
	RequestID *int64  `name:"requestId"`
	Limit     *int64  `name:"limit"`
	Offset    *int64  `name:"offset"`
}

// crsAnswer is an answer of API 2.0, with the members that the adapter reads.
type crsAnswer[T any] struct {
	*tchttp.BaseResponse
	Code       *int64  `json:"code"`
	CodeDesc   *string `json:"codeDesc"`
	TotalCount *int64  `json:"totalCount"`
	Data       T       `json:"data"`
}

func crsSDK(endpoint, secretID, secretKey, token string, via http.RoundTripper) *common.Client {
	p := profile.NewClientProfile()
	p.DisableRegionBreaker = true
	p.SignMethod = common.SHA256
	p.HttpProfile.Scheme = "HTTP"
	p.HttpProfile.Endpoint = endpoint + crsPath
	p.HttpProfile.ReqTimeout = 10
	client := common.NewCommonClient(common.NewTokenCredential(secretID, secretKey, token), "gz", p)
	client.WithHttpTransport(via)
	return client
}

func crsAsk[T any](client *common.Client, action string, call crsCall) (*crsAnswer[T], error) {
	call.BaseRequest = &tchttp.BaseRequest{}
	call.Init().WithApiInfo("redis", "", action)
	answer := &crsAnswer[T]{BaseResponse: &tchttp.BaseResponse{}}
	return answer, client.Send(&call, answer)
}

func TestCRSOperations(t *testing.T) {
	t.Parallel()
	type accepted struct {
		RequestID *int64 `json:"requestId"`
	}
	type info struct {
		Status *int64 `json:"status"`
	}
	for _, tt := range []struct {
		action string
		op     emulator.Operation
		call   crsCall
	}{
		{"ClearRedis", emulator.Flush, crsCall{RedisID: new(tcID), Password: new("Pass1word")}},
		{"RestoreInstance", emulator.Restore, crsCall{RedisID: new(tcID), Password: new("@Pass1+word &=%"), BackupID: new(crsBackup)}},
	} {
		t.Run(tt.action, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			client := crsSDK(c.host(), emulator.DefaultAccessKey, emulator.DefaultSecretKey, "", newTap(t))
			task := must(crsAsk[accepted](client, tt.action, tt.call))(t).Data.RequestID
			if value(task) == 0 {
				t.Fatal("the answer has no requestId")
			}
			for _, status := range []int64{1, 2} {
				answer := must(crsAsk[info](client, "DescribeTaskInfo", crsCall{RequestID: task}))(t)
				want(t, "task's status", value(answer.Data.Status), status)
				c.finish()
			}
			c.wantEffects(t, tcID, tt.op, 1)
		})
	}
}

func TestCRSLookups(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	client := crsSDK(c.host(), emulator.DefaultAccessKey, emulator.DefaultSecretKey, "", newTap(t))
	page := crsCall{RedisID: new(tcID), Limit: new(int64(100)), Offset: new(int64(0))}

	instances := must(crsAsk[struct {
		Rows []struct {
			ID     *string `json:"redisId"`
			Status *int64  `json:"status"`
		} `json:"redisSet"`
	}](client, "DescribeRedis", page))(t)
	want(t, "instances in all", value(instances.TotalCount), 1)
	if rows := instances.Data.Rows; len(rows) == 1 {
		want(t, "id", value(rows[0].ID), tcID)
		want(t, "status", value(rows[0].Status), 2)
	} else {
		t.Errorf("%d instances", len(rows))
	}

	must(crsAsk[any](client, "ClearRedis", crsCall{RedisID: new(tcID), Password: new("Pass1word")}))(t)
	tasks := must(crsAsk[any](client, "GetRedisTaskList", page))(t)
	want(t, "tasks in all", value(tasks.TotalCount), 1)
	backups := must(crsAsk[any](client, "GetRedisBackupList", page))(t)
	want(t, "backups in all", value(backups.TotalCount), 2)
}

func TestCRSErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, secretKey, id, code string }{
		{"wrong secret", "wrong", tcID, "AuthFailure"},
		{"unknown instance", emulator.DefaultSecretKey, "crs-missing1", "InstanceNotExists"},
	} {
		c := newCloud(t)
		client := crsSDK(c.host(), emulator.DefaultAccessKey, tt.secretKey, "", newTap(t))
		_, err := crsAsk[any](client, "ClearRedis", crsCall{RedisID: &tt.id, Password: new("Pass1word")})
		var failure *tcerr.TencentCloudSDKError
		if !errors.As(err, &failure) {
			t.Fatalf("%s: error %T %v is no TencentCloudSDKError", tt.name, err, err)
		}
		want(t, tt.name+": code", failure.Code, tt.code)
		c.wantEffects(t, tt.id, "", 0)
	}
}

// TestCRSSignersAgree gives both signers the same parameters, through the vendor's
// bare function and through its whole client.
func TestCRSSignersAgree(t *testing.T) {
	t.Parallel()
	d := newDice(t)
	for i := range signerCases {
		id, key, token := d.text(plain, 36), d.text(awkward, 40), d.maybe(plain+"+/=", 60)
		host := d.host()

		p := &trap{}
		call := crsCall{RedisID: new(d.text(plain, 12)), Password: new(d.text(awkward, 20)), RequestID: new(d.Int64())}
		// The canned answer is none of API 2.0; only the request matters here.
		if _, err := crsAsk[any](crsSDK(host, id, key, token, p), d.text(plain, 16), call); err != nil {
			t.Fatal(err)
		}
		form := must(url.ParseQuery(string(p.body)))(t)
		params := map[string]string{}
		for name := range form {
			if name != "Signature" {
				params[name] = form.Get(name)
			}
		}
		if got := tencentcrs.Signature(http.MethodPost, host, crsPath, params, secret.New(key)); got != form.Get("Signature") {
			t.Fatalf("case %d: our signature of %v is %s, theirs %s", i, params, got, form.Get("Signature"))
		}

		own := d.members(plain)
		at, nonce := d.when(), d.Uint32()
		ours := tencentcrs.Sign(host, "gz", "ClearRedis", own, vendors.Credentials{
			AccessKey: id, SecretKey: secret.New(key), SessionToken: secret.New(token),
		}, at, nonce)
		want(t, "Timestamp", ours.Get("Timestamp"), strconv.FormatInt(at.Unix(), 10))
		if got, expected := ours.Get("Signature"), common.Sign(crsText(host, ours), key, ours.Get("SignatureMethod")); got != expected {
			t.Fatalf("case %d: our signature of %v is %s, theirs %s", i, own, got, expected)
		}
	}
}

// crsText is what the vendor's documents say is signed.
func crsText(host string, form url.Values) string {
	var pairs []string
	for name := range form {
		if name != "Signature" {
			pairs = append(pairs, name+"="+form.Get(name))
		}
	}
	slices.SortFunc(pairs, func(a, b string) int {
		nameA, _, _ := strings.Cut(a, "=")
		nameB, _, _ := strings.Cut(b, "=")
		return strings.Compare(nameA, nameB)
	})
	return http.MethodPost + host + crsPath + "?" + strings.Join(pairs, "&")
}
