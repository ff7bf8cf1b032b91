package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/seed-7b870224/sluice/internal/secret"
)

// profile is the file in which a vendor's own tools keep credentials.
type profile struct {
	// path is relative to the home directory; variable names another file.
	path     string
	variable string
	// keys finds access key, secret and session token in the content.
	keys func(content string, env func(string) (string, bool)) ([3]string, error)
}

// profiles are the files that the vendors' Go SDKs read.
//
// Sources: tencentcloud-sdk-go common/profile_provider.go, huaweicloud-sdk-go-v3
// core/auth/provider/profile_provider.go, volcengine-go-sdk
// credentials/clicreds/cli_provider.go (the mode with an access key; the modes
// that log a person in have no place in a service).
var profiles = map[string]profile{
	"tencent":     {".tencentcloud/credentials", "TENCENTCLOUD_CREDENTIALS_FILE", iniKeys("default", "secret_id", "secret_key", "")},
	"tencent-crs": {".tencentcloud/credentials", "TENCENTCLOUD_CREDENTIALS_FILE", iniKeys("default", "secret_id", "secret_key", "")},
	"huawei":      {".huaweicloud/credentials", "HUAWEICLOUD_SDK_CREDENTIALS_FILE", iniKeys("basic", "ak", "sk", "security_token")},
	"volcengine":  {".volcengine/config.json", "", volcengineKeys},
}

// locate is the profile's path for this environment, empty if there is no home.
func (f profile) locate(env func(string) (string, bool)) string {
	if f.variable != "" {
		if path, _ := env(f.variable); path != "" {
			return path
		}
	}
	for _, variable := range []string{"HOME", "USERPROFILE"} {
		if home, _ := env(variable); home != "" {
			return filepath.Join(home, filepath.FromSlash(f.path))
		}
	}
	return ""
}

// keyring reads the profile, again whenever it has changed.
func (f profile) keyring(account, path string, env func(string) (string, bool), disk files) *keyring {
	load := func() (Resolved, error) {
		content, err := disk.text(path)
		if err != nil {
			return Resolved{}, err
		}
		keys, err := f.keys(content, env)
		if err != nil {
			return Resolved{}, fmt.Errorf("profile %s: %w", path, err)
		}
		return Resolved{Key: keys[0], Secret: secret.New(keys[1]), Session: secret.New(keys[2])}, nil
	}
	return &keyring{owner: account, load: load, paths: []string{path}, files: disk}
}

// iniKeys finds the keys in a section of an INI file.
func iniKeys(section, key, secretKey, session string) func(string, func(string) (string, bool)) ([3]string, error) {
	return func(content string, _ func(string) (string, bool)) ([3]string, error) {
		values := iniSection(content, section)
		keys := [3]string{values[key], values[secretKey], values[session]}
		if keys[0] == "" || keys[1] == "" {
			return keys, fmt.Errorf("section [%s] lacks %s or %s; write both", section, key, secretKey)
		}
		return keys, nil
	}
}

// iniSection reads key = value lines of one section.
func iniSection(content, wanted string) map[string]string {
	values, inside := map[string]string{}, false
	for line := range strings.Lines(content) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue
		}
		if name, found := strings.CutPrefix(line, "["); found {
			inside = strings.TrimSpace(strings.TrimSuffix(name, "]")) == wanted
			continue
		}
		if name, value, found := strings.Cut(line, "="); found && inside {
			values[strings.TrimSpace(name)] = strings.Trim(strings.TrimSpace(value), `"'`)
		}
	}
	return values
}

// volcengineKeys finds the keys of the current profile in the configuration of
// Volcengine's command line.
func volcengineKeys(content string, env func(string) (string, bool)) ([3]string, error) {
	var file struct {
		Current  string `json:"current"`
		Profiles map[string]struct {
			Mode         string `json:"mode"`
			AccessKey    string `json:"access-key"`
			SecretKey    string `json:"secret-key"`
			SessionToken string `json:"session-token"`
		} `json:"profiles"`
	}
	if json.Unmarshal([]byte(content), &file) != nil {
		// The parser's own words may hold a piece of the file.
		return [3]string{}, errors.New("it is not the JSON that the vendor's command line writes; write it again")
	}
	name, _ := env("VOLCSTACK_PROFILE")
	if name == "" {
		name = file.Current
	}
	chosen := file.Profiles[name]
	switch {
	case chosen.Mode != "" && !strings.EqualFold(chosen.Mode, "ak"):
		return [3]string{}, fmt.Errorf("profile %q logs in by %q; use one with an access key", name, chosen.Mode)
	case chosen.AccessKey == "" || chosen.SecretKey == "":
		return [3]string{}, fmt.Errorf("profile %q lacks access-key or secret-key; write both, or choose another with VOLCSTACK_PROFILE", name)
	}
	return [3]string{chosen.AccessKey, chosen.SecretKey, chosen.SessionToken}, nil
}
