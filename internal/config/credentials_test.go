package config_test

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-7b870224/sluice/internal/config"
	"github.com/seed-7b870224/sluice/internal/secret"
)

// chainConfig is one account without credentials.
func chainConfig(vendor string) string {
	text := "accounts:\n  - name: a\n    vendor: " + vendor + "\n    regions: [r]\n"
	if vendor == "huawei" {
		text += "    projects: {r: p}\n"
	}
	return text
}

func TestChain(t *testing.T) {
	t.Parallel()
	volcengine := `{"current":"b","profiles":{
		"a":{"mode":"ak","access-key":"ak-a","secret-key":"MARKED-a"},
		"b":{"access-key":"ak-b","secret-key":"MARKED-b","session-token":"MARKED-t"},
		"c":{"mode":"sso","access-key":"","secret-key":""}}}`
	tencent := "# c\n[other]\nsecret_id = no\n[default]\nsecret_id = tc-id\n; x\nsecret_key=\"MARKED-tc\"\n"
	huawei := "[basic]\nak = hw-ak\nsk = MARKED-hw\nsecurity_token = MARKED-st\n[global]\nak = no\n"
	tests := []struct {
		name, vendor string
		files, env   map[string]string
		want         [3]string
		wrong        string
	}{
		{"environment", "volcengine", nil,
			map[string]string{"VOLCSTACK_ACCESS_KEY_ID": "e", "VOLCSTACK_SECRET_ACCESS_KEY": "MARKED-e", "VOLCSTACK_SESSION_TOKEN": "MARKED-s"},
			[3]string{"e", "MARKED-e", "MARKED-s"}, ""},
		{"environment before profile", "tencent", map[string]string{".tencentcloud/credentials": tencent},
			map[string]string{"TENCENTCLOUD_SECRET_ID": "e", "TENCENTCLOUD_SECRET_KEY": "MARKED-e"},
			[3]string{"e", "MARKED-e", ""}, ""},
		{"half environment", "tencent", map[string]string{".tencentcloud/credentials": tencent},
			map[string]string{"TENCENTCLOUD_SECRET_KEY": "MARKED-e"}, [3]string{},
			"TENCENTCLOUD_SECRET_KEY is set without TENCENTCLOUD_SECRET_ID"},
		{"environment with a space", "tencent", nil,
			map[string]string{"TENCENTCLOUD_SECRET_ID": "e e", "TENCENTCLOUD_SECRET_KEY": "MARKED-e"}, [3]string{}, "write the key alone"},
		{"tencent profile", "tencent", map[string]string{".tencentcloud/credentials": tencent}, nil, [3]string{"tc-id", "MARKED-tc", ""}, ""},
		{"crs profile", "tencent-crs", map[string]string{".tencentcloud/credentials": tencent}, nil, [3]string{"tc-id", "MARKED-tc", ""}, ""},
		{"tencent profile elsewhere", "tencent", map[string]string{"x": tencent},
			map[string]string{"TENCENTCLOUD_CREDENTIALS_FILE": "x"}, [3]string{"tc-id", "MARKED-tc", ""}, ""},
		{"tencent profile incomplete", "tencent", map[string]string{".tencentcloud/credentials": "[default]\nsecret_id = MARKED"}, nil,
			[3]string{}, "section [default] lacks secret_id or secret_key"},
		{"huawei profile", "huawei", map[string]string{".huaweicloud/credentials": huawei}, nil, [3]string{"hw-ak", "MARKED-hw", "MARKED-st"}, ""},
		{"volcengine profile", "volcengine", map[string]string{".volcengine/config.json": volcengine}, nil, [3]string{"ak-b", "MARKED-b", "MARKED-t"}, ""},
		{"volcengine profile chosen", "volcengine", map[string]string{".volcengine/config.json": volcengine},
			map[string]string{"VOLCSTACK_PROFILE": "a"}, [3]string{"ak-a", "MARKED-a", ""}, ""},
		{"volcengine login", "volcengine", map[string]string{".volcengine/config.json": volcengine},
			map[string]string{"VOLCSTACK_PROFILE": "c"}, [3]string{}, `profile "c" logs in by "sso"`},
		{"volcengine no such profile", "volcengine", map[string]string{".volcengine/config.json": volcengine},
			map[string]string{"VOLCSTACK_PROFILE": "d"}, [3]string{}, `profile "d" lacks access-key`},
		{"volcengine broken", "volcengine", map[string]string{".volcengine/config.json": "{MARKED"}, nil, [3]string{}, "it is not the JSON"},
		{"nothing", "huawei", nil, nil, [3]string{}, "no credentials are found; give accessKey and secretKey here, the environment variables HUAWEICLOUD_SDK_AK"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			for name, content := range test.files {
				write(t, filepath.Join(home, name), content)
			}
			variables := map[string]string{"HOME": home}
			maps.Copy(variables, test.env)
			if path := variables["TENCENTCLOUD_CREDENTIALS_FILE"]; path != "" {
				variables["TENCENTCLOUD_CREDENTIALS_FILE"] = filepath.Join(home, path)
			}
			cfg, err := config.Parse("test.yaml", []byte(chainConfig(test.vendor)), config.Options{Catalog: catalog(), Env: env(variables)})
			if test.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), test.wrong) || strings.Contains(err.Error(), "MARKED") {
					t.Errorf("got %v, want it to say %q", err, test.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			key, err := cfg.Accounts[0].Credentials.Current()
			if got := [3]string{key.Key, key.Secret.Reveal(), key.Session.Reveal()}; err != nil || got != test.want {
				t.Errorf("got %v, %v, want %v", got, err, test.want)
			}
		})
	}
}

func TestCredentialsOutsideAFile(t *testing.T) {
	t.Parallel()
	key, err := config.StaticCredentials("k", secret.New("s"), secret.New("t")).Current()
	if err != nil || key.Key != "k" || key.Secret.Reveal() != "s" || key.Session.Reveal() != "t" {
		t.Errorf("got %v, %v", key, err)
	}
	if _, err := (config.Credentials{}).Current(); err == nil {
		t.Error("no credentials gave a key")
	}
}
