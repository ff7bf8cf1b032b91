package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed-7b870224/sluice/internal/config"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// catalog stands in for the vendors' own facts, so that these tests fail for
// mistakes of this package only.
func catalog() map[string]vendors.Facts {
	quotas := func(actions ...string) map[string]vendors.Quota {
		m := map[string]vendors.Quota{}
		for i, action := range actions {
			m[action] = vendors.Quota{PerSecond: float64(i + 1)}
		}
		return m
	}
	tencent := vendors.Facts{
		Actions:     map[vendors.Operation]string{vendors.Flush: "ClearInstance", vendors.Restore: "RestoreInstance"},
		Quotas:      quotas("ClearInstance", "RestoreInstance"),
		Endpoint:    "https://redis.tencentcloudapi.com",
		KeyField:    "secretId",
		SecretField: "secretKey",
		Environment: [3]string{"TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_TOKEN"},
	}
	return map[string]vendors.Facts{
		"volcengine": {
			Actions:     map[vendors.Operation]string{vendors.Restart: "RestartDBInstance", vendors.Flush: "FlushDBInstance", vendors.Restore: "RestoreDBInstance"},
			Quotas:      quotas("RestartDBInstance", "FlushDBInstance", "RestoreDBInstance", "DescribeDBInstances"),
			Endpoint:    "https://redis.{region}.volcengineapi.com",
			KeyField:    "accessKey",
			SecretField: "secretKey",
			Environment: [3]string{"VOLCSTACK_ACCESS_KEY_ID", "VOLCSTACK_SECRET_ACCESS_KEY", "VOLCSTACK_SESSION_TOKEN"},
		},
		"huawei": {
			Actions: map[vendors.Operation]string{
				vendors.Restart: "RestartOrFlushInstances", vendors.SoftRestart: "RestartOrFlushInstances",
				vendors.Flush: "RestartOrFlushInstances", vendors.Restore: "RestoreInstance",
			},
			Quotas:       quotas("RestartOrFlushInstances", "RestoreInstance", "ShowInstance", "ListInstances"),
			Endpoint:     "https://dcs.{region}.myhuaweicloud.com",
			NeedsProject: true,
			KeyField:     "accessKey",
			SecretField:  "secretKey",
			Environment:  [3]string{"HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN"},
		},
		"tencent":     tencent,
		"tencent-crs": tencent,
	}
}

// env is an environment of these variables alone.
func env(variables map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := variables[name]
		return value, ok
	}
}

// sample is the environment of the files in testdata.
var sample = map[string]string{
	"VOLC_AK": "volc-ak", "VOLC_SK": "MARKED-volc-sk", "HW_AK": "hw-ak", "HW_SK": "MARKED-hw-sk",
	"TC_ID": "tc-id", "TC_KEY": "MARKED-tc-key", "EMPTY": "", "SEVEN": "7",
	"HUAWEICLOUD_SDK_AK": "half", "HOME": "/nonexistent",
}

func options() config.Options {
	return config.Options{Catalog: catalog(), Env: env(sample)}
}

// disk reads these files, and the real ones for what is not among them.
func disk(contents map[string]string) func(string) ([]byte, error) {
	return func(path string) ([]byte, error) {
		if content, ok := contents[path]; ok {
			return []byte(content), nil
		}
		return os.ReadFile(path)
	}
}

func parse(t *testing.T, text string, opts config.Options) *config.Config {
	t.Helper()
	cfg, err := config.Parse("test.yaml", []byte(text), opts)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// mistakes parses a text that must fail.
func mistakes(t *testing.T, text string, opts config.Options) config.Errors {
	t.Helper()
	_, err := config.Parse("test.yaml", []byte(text), opts)
	var all config.Errors
	if !errors.As(err, &all) {
		t.Fatalf("got %v, want mistakes", err)
	}
	return all
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
