package emulator

import (
	"encoding/json"
	"fmt"
	"strings"
)

// helpText is what GET /_emulator/ says.
func helpText() string {
	var b strings.Builder
	b.WriteString(helpHead)
	b.WriteString("\nAdministration (JSON; unknown fields and parameters are refused):\n")
	for _, rt := range adminRoutes() {
		fmt.Fprintf(&b, "  %-6s %-22s %s\n", rt.method, adminPrefix+rt.path, rt.help)
	}
	b.WriteString("\nFault: " + exampleFault() + "\n  kinds:")
	for _, k := range faultKinds {
		b.WriteString(" " + string(k))
	}
	b.WriteString("\n  fields: id kind vendor action operation instance (prefix*) times probability delay status code message body location retryAfter\n")
	b.WriteString("\nInstance: status engineVersion class (standalone) region noPassword passwordRequired missing fails\n")
	b.WriteString("\nQuirks (the default first):\n")
	var q Quirks
	for _, c := range q.words() {
		fmt.Fprintf(&b, "  %-20s %s\n", c.name, strings.Join(c.values, ", "))
	}
	for _, c := range q.statuses() {
		fmt.Fprintf(&b, "  %-20s %s\n", c.name, strings.Trim(fmt.Sprint(c.values), "[]"))
	}
	b.WriteString("  statusLag rowLag signatureLife huaweiTaskLinger crsReplayWindow   durations like \"2s\"\n")
	b.WriteString("  busyAccepted taskError crsHTTPS   true or false\n")
	b.WriteString("  retryAfter                        header of throttled answers\n")
	return b.String()
}

func exampleFault() string {
	raw, err := json.Marshal(map[string]any{"kind": FaultDropAfter, "vendor": Tencent, "action": "ClearInstance", "times": 1})
	if err != nil {
		panic("emulator: " + err.Error())
	}
	return string(raw)
}

const helpHead = `Emulated clouds: volcengine, huawei, tencent, tencent-crs, told apart by the shape of the request.
Credentials for each: key emulator-key, secret emulator-secret. Point a client's endpoint at this host and port.

Any instance id of 3 to 64 letters, digits and dashes exists and is running, except:
  id contains missing, unknown, nonexist   does not exist
  id contains fails                        accepted work ends failed
  id contains redis3                       Redis 3.0 (Huawei refuses to flush it)
  id contains standalone                   one node: restore and backup refused
Any backup id of that form exists and is usable, except:
  id contains missing, unknown             does not exist
  id contains expired, broken              cannot be restored
A password that contains wrong is refused (tencent, tencent-crs).

Huawei's UUIDs for the same:
  00000000-0000-0000-0000-000000000000   missing, as instance or backup
  00000000-0000-0000-0000-00000000dead   unusable backup
  00000000-0000-0000-0000-00000000fa11   instance whose work fails
  00000000-0000-0000-0000-0000000003d0   instance with Redis 3.0
  00000000-0000-0000-0000-00000000501e   instance with one node

Backups that lists show for every instance, one usable and one expired:
  volcengine    b-0001                                 b-expired-0001
  huawei        b0000000-0000-4000-8000-000000000001   00000000-0000-0000-0000-00000000dead
  tencent       678362566696298532848117               expired-0001
  tencent-crs   e824aecc-ef5e-11e6-a2c7-525400082493   expired-0001
tencent and tencent-crs show the same instances, tasks and backups.
`
