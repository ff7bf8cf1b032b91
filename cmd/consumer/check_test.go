package main

import (
	"fmt"
	"strings"
	"testing"
)

const checkYAML = `nats: {url: "nats://nats:4222"}
accounts:
  - name: prod
    vendor: volcengine
    regions: [cn-beijing, cn-shanghai]
    credentials: {accessKey: a, secretKey: b}
    quotas: {RestartDBInstance: 10/s}
  - name: tc
    vendor: tencent
    regions: [ap-guangzhou]
    allow: [flush, restore]
    credentials: {secretId: a, secretKey: b}
`

const checkSummary = `%s: ok (broker: nats://nats:4222, prefix sluice)
ACCOUNT  VENDOR      REGIONS                  OPERATIONS      QUOTAS OVERRIDDEN
prod     volcengine  cn-beijing, cn-shanghai  restart         RestartDBInstance 10/s
tc       tencent     ap-guangzhou             flush, restore  none
`

// commandJSON is a structured event with these members of data.
func commandJSON(operation, extension, data string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":"1","source":"/t","type":"dev.sluice.command.%s.v1","time":"2026-01-02T03:04:05Z"%s,"data":{%s}}`, operation, extension, data)
}

const prodData = `"vendor":"volcengine","account":"prod","region":"cn-beijing","instanceId":"redis-1"`

func TestCheckConfig(t *testing.T) {
	t.Parallel()
	good := file(t, "sluice.yaml", checkYAML)
	consumerWith(t, "", "check", "--config", good).want(t, exitOK, fmt.Sprintf(checkSummary, good))
	consumerWith(t, "", "check", "-c", good, "-o", "json").want(t, exitOK, fmt.Sprintf("{\"file\":%q,\"ok\":true}\n", good))
	idle := file(t, "idle.yaml", strings.Replace(checkYAML, "    allow: [flush, restore]\n", "", 1))
	if got := consumerWith(t, "", "check", "--config", idle); got.code != exitOK || !strings.HasPrefix(got.err, idle+": warning: account tc") {
		t.Errorf("an account that allows nothing: exit code %d, %q; want a warning", got.code, got.err)
	}
	bad := file(t, "bad.yaml", strings.Replace(checkYAML, "regions: [ap", "region: [ap", 1))
	consumerWith(t, "", "check", "--config", bad).want(t, exitUsage, "", bad+":10:5: ")
	consumerWith(t, "", "check", "--config", good+"x").want(t, exitUsage, "", good+"x")
	consumerWith(t, "", "check").want(t, exitUsage, "", "check needs --config FILE, event files, or both")
}

func TestCheckEvents(t *testing.T) {
	t.Parallel()
	conf := file(t, "sluice.yaml", checkYAML)
	for _, test := range []struct {
		name, event, want string
		// alone checks without a configuration.
		alone bool
		code  int
	}{
		{"good", commandJSON("restart", "", prodData), "-: ok: restart redis-1 at volcengine/prod/cn-beijing, priority normal\n", false, exitOK},
		{"no event", "hello", "-: not_cloudevent: ", true, exitFailure},
		{"unknown field", commandJSON("restart", "", prodData+`,"when":"now"`), "-: invalid_data: /when", true, exitFailure},
		{"unknown account alone", commandJSON("restart", "", strings.Replace(prodData, "prod", "stage", 1)), "-: ok: ", true, exitOK},
		{"unknown account", commandJSON("restart", "", strings.Replace(prodData, "prod", "stage", 1)), "-: unknown_account: ", false, exitFailure},
		{"unknown region", commandJSON("restart", "", strings.Replace(prodData, "cn-beijing", "mars", 1)), "-: unknown_region: ", false, exitFailure},
		{"unsupported", commandJSON("soft_restart", "", prodData), "-: operation_unsupported: ", false, exitFailure},
		{"not allowed", commandJSON("flush", "", prodData), "-: operation_not_allowed: ", false, exitFailure},
		{"written expiry", commandJSON("restart", `,"expirytime":"2026-01-02T03:04:06Z"`, prodData), "-: expired: ", false, exitFailure},
		{"batch", "[" + commandJSON("restart", "", prodData) + `,{"id":"x"}]`,
			"-[0]: ok: restart redis-1 at volcengine/prod/cn-beijing, priority normal\n-[1]: not_cloudevent: ", false, exitFailure},
		{"large batch", "[" + strings.Repeat(" ", 70<<10) + "]", "-: too_large: ", true, exitFailure},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			args := []string{"check", "-"}
			head := ""
			if !test.alone {
				args, head = append(args, "--config", conf), fmt.Sprintf(checkSummary, conf)
			}
			got := consumerWith(t, test.event, args...)
			if got.code != test.code || !strings.HasPrefix(got.out, head+test.want) || got.err != "" {
				t.Errorf("exit code %d, want %d; output:\n%s%s\nwant it to begin with:\n%s", got.code, test.code, got.out, got.err, head+test.want)
			}
		})
	}
}

func TestCheckFiles(t *testing.T) {
	t.Parallel()
	good := file(t, "good.json", commandJSON("restart", "", prodData))
	bad := file(t, "bad.json", commandJSON("restart", "", `"vendor":"volcengine","account":"prod","region":"cn-beijing"`))
	got := consumerWith(t, "", "check", bad, good, "--output", "json")
	lines := strings.Split(got.out, "\n")
	if got.code != exitFailure || len(lines) != 3 ||
		!strings.HasPrefix(lines[0], fmt.Sprintf(`{"file":%q,"ok":false,"code":"invalid_data","pointer":"/instanceId","message":"/instanceId`, bad)) ||
		lines[1] != fmt.Sprintf(`{"file":%q,"ok":true}`, good) {
		t.Errorf("exit code %d:\n%s%s", got.code, got.out, got.err)
	}
	consumerWith(t, "", "check", good+"x").want(t, exitUsage, "", "read event "+good+"x")
}
