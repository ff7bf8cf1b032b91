package judges

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/volcengine/volc-sdk-golang/base"
	"github.com/volcengine/volcengine-go-sdk/service/redis"
	sdk "github.com/volcengine/volcengine-go-sdk/volcengine"
	"github.com/volcengine/volcengine-go-sdk/volcengine/credentials"
	"github.com/volcengine/volcengine-go-sdk/volcengine/session"
	"github.com/volcengine/volcengine-go-sdk/volcengine/volcengineerr"

	"github.com/seed-7b870224/sluice/internal/emulator"
	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/volcengine"
)

const (
	volcID     = "redis-cn0212gzmh2xsabcd"
	volcRegion = "cn-beijing"
)

// volcSDK is the vendor's client without its retries, which repeat mutations too.
func volcSDK(t *testing.T, c *cloud, secretKey string) (*redis.REDIS, *tap) {
	t.Helper()
	p := newTap(t)
	s, err := session.NewSession(sdk.NewConfig().
		WithRegion(volcRegion).
		WithCredentials(credentials.NewStaticCredentials(emulator.DefaultAccessKey, secretKey, "")).
		WithEndpoint(c.url).
		WithDisableSSL(true).
		WithMaxRetries(0).
		WithHTTPClient(&http.Client{Transport: p, Timeout: 10 * time.Second}))
	if err != nil {
		t.Fatal(err)
	}
	return redis.New(s), p
}

func volcStatus(t *testing.T, client *redis.REDIS) string {
	t.Helper()
	detail := must(client.DescribeDBInstanceDetail(&redis.DescribeDBInstanceDetailInput{InstanceId: sdk.String(volcID)}))(t)
	return value(detail.Status)
}

func TestVolcengineMutations(t *testing.T) {
	t.Parallel()
	const backup = "b-0001"
	for _, tt := range []struct {
		op     emulator.Operation
		status string // while the work runs
		call   func(*redis.REDIS) (action string, err error)
	}{
		{emulator.Restart, "Restarting", func(client *redis.REDIS) (string, error) {
			out, err := client.RestartDBInstance(&redis.RestartDBInstanceInput{InstanceId: sdk.String(volcID), ClientToken: sdk.String("t1")})
			if err != nil {
				return "", err
			}
			return out.Metadata.Action, nil
		}},
		{emulator.Flush, "Running", func(client *redis.REDIS) (string, error) {
			out, err := client.FlushDBInstance(&redis.FlushDBInstanceInput{InstanceId: sdk.String(volcID), ClientToken: sdk.String("t2")})
			if err != nil {
				return "", err
			}
			return out.Metadata.Action, nil
		}},
		{emulator.Restore, "Restoring", func(client *redis.REDIS) (string, error) {
			out, err := client.RestoreDBInstance(&redis.RestoreDBInstanceInput{
				InstanceId: sdk.String(volcID), BackupType: sdk.String("Full"), BackupPointId: sdk.String(backup), ClientToken: sdk.String("t3"),
			})
			if err != nil {
				return "", err
			}
			return out.Metadata.Action, nil
		}},
	} {
		t.Run(string(tt.op), func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			client, _ := volcSDK(t, c, emulator.DefaultSecretKey)
			action := must(tt.call(client))(t)
			if !strings.HasSuffix(action, "DBInstance") {
				t.Errorf("the answer is of action %q", action)
			}
			want(t, "status during the work", volcStatus(t, client), tt.status)
			c.finish()
			want(t, "status after the work", volcStatus(t, client), "Running")
			c.wantEffects(t, volcID, tt.op, 1)
		})
	}
}

func TestVolcengineRestoreToAPointInTime(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	client, p := volcSDK(t, c, emulator.DefaultSecretKey)
	window := must(client.DescribePitrTimeWindow(&redis.DescribePitrTimeWindowInput{InstanceId: sdk.String(volcID)}))(t)
	p.wantModelled(t, &redis.DescribePitrTimeWindowOutput{}, "Result")
	if value(window.StartTime) == "" || value(window.EndTime) <= value(window.StartTime) {
		t.Fatalf("window %s", window)
	}
	must(client.RestoreDBInstance(&redis.RestoreDBInstanceInput{
		InstanceId: sdk.String(volcID), BackupType: sdk.String("Inc"), TimePoint: window.StartTime,
	}))(t)
	c.wantEffects(t, volcID, emulator.Restore, 1)
}

func TestVolcengineLookups(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	client, p := volcSDK(t, c, emulator.DefaultSecretKey)

	detail := must(client.DescribeDBInstanceDetail(&redis.DescribeDBInstanceDetailInput{InstanceId: sdk.String(volcID)}))(t)
	p.wantModelled(t, &redis.DescribeDBInstanceDetailOutput{}, "Result")
	want(t, "detail's id", value(detail.InstanceId), volcID)
	want(t, "detail's status", value(detail.Status), "Running")
	want(t, "detail's class", value(detail.InstanceClass), "PrimarySecondary")
	want(t, "detail's region", value(detail.RegionId), volcRegion)
	if detail.Metadata.RequestId == "" {
		t.Error("the answer has no request id")
	}

	list := must(client.DescribeDBInstances(&redis.DescribeDBInstancesInput{PageNumber: sdk.Int32(1), PageSize: sdk.Int32(100)}))(t)
	p.wantModelled(t, &redis.DescribeDBInstancesOutput{}, "Result")
	want(t, "instances in all", value(list.TotalInstancesNum), 1)
	if len(list.Instances) != 1 {
		t.Fatalf("instances %s", list)
	}
	want(t, "listed id", value(list.Instances[0].InstanceId), volcID)
	want(t, "listed status", value(list.Instances[0].Status), "Running")

	backups := must(client.DescribeBackups(&redis.DescribeBackupsInput{InstanceId: sdk.String(volcID), PageNumber: sdk.Int32(1), PageSize: sdk.Int32(10)}))(t)
	p.wantModelled(t, &redis.DescribeBackupsOutput{}, "Result")
	want(t, "backups in all", value(backups.Total), 2)
	if len(backups.Backups) != 2 {
		t.Fatalf("backups %s", backups)
	}
	want(t, "first backup", value(backups.Backups[0].BackupPointId), "b-0001")
	want(t, "first backup's status", value(backups.Backups[0].Status), "Available")
	want(t, "first backup's instance", value(backups.Backups[0].InstanceId), volcID)
	want(t, "second backup's status", value(backups.Backups[1].Status), "Unavailable")
}

func TestVolcengineErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, secretKey, id, code string
		status                    int
	}{
		{"wrong secret", "wrong", volcID, "SignatureDoesNotMatch", 401},
		{"unknown instance", emulator.DefaultSecretKey, "redis-missing", "InstanceNotExist", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			client, _ := volcSDK(t, c, tt.secretKey)
			_, restart := client.RestartDBInstance(&redis.RestartDBInstanceInput{InstanceId: sdk.String(tt.id)})
			_, detail := client.DescribeDBInstanceDetail(&redis.DescribeDBInstanceDetailInput{InstanceId: sdk.String(tt.id)})
			for _, err := range []error{restart, detail} {
				var failure volcengineerr.RequestFailure
				if !errors.As(err, &failure) {
					t.Fatalf("error %T %v is no RequestFailure", err, err)
				}
				want(t, "code", failure.Code(), tt.code)
				want(t, "HTTP status", failure.StatusCode(), tt.status)
				if failure.RequestID() == "" {
					t.Error("the error has no request id")
				}
			}
			want(t, "calls", len(c.Calls(emulator.Filter{})), 2) // none repeated
			c.wantEffects(t, tt.id, emulator.Restart, 0)
		})
	}
}

func TestVolcengineSignersAgree(t *testing.T) {
	t.Parallel()
	d := newDice(t)
	for i := range signerCases {
		keys := base.Credentials{
			AccessKeyID: d.text(plain, 24), SecretAccessKey: d.text(awkward, 40), Service: "redis",
			Region: d.text(plain, 12), SessionToken: d.maybe(plain+"+/=", 60),
		}
		at, body := d.when(), d.maybe(awkward, 200)
		theirs := volcRequest(t, d, body)
		ours := theirs.Clone(t.Context())
		theirs.Header.Set("X-Date", at.Format("20060102T150405Z"))
		keys.Sign(theirs)
		volcengine.Sign(ours, []byte(body), vendors.Credentials{
			AccessKey: keys.AccessKeyID, SecretKey: secret.New(keys.SecretAccessKey), SessionToken: secret.New(keys.SessionToken),
		}, keys.Region, at)
		for _, name := range []string{"Authorization", "X-Date", "X-Content-Sha256", "X-Security-Token"} {
			if got, expected := ours.Header.Get(name), theirs.Header.Get(name); got != expected {
				t.Fatalf("case %d, %s %s: our %s is\n%s, theirs\n%s", i, ours.Method, ours.URL, name, got, expected)
			}
		}
	}
}

// volcRequest is a random request. Its path and query are awkward although the
// real ones are tame.
func volcRequest(t *testing.T, d dice, body string) *http.Request {
	t.Helper()
	u := url.URL{Scheme: "https", Host: d.host(), Path: "/" + d.maybe(awkward+"//", 20)}
	query := url.Values{"Action": {d.text(plain, 20)}, "Version": {"2020-12-07"}}
	for name, v := range d.members(awkward) {
		query.Add(name, v)
	}
	u.RawQuery = query.Encode()
	r, err := http.NewRequest([]string{"GET", "POST", "PUT"}[d.IntN(3)], u.String(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	for range d.IntN(4) {
		r.Header.Set("X-"+d.text(plain, 8), " "+d.maybe(plain+" ", 20)+" ")
	}
	r.Header.Set("User-Agent", d.text(plain, 10))
	return r
}
