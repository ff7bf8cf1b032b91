package events

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

var received = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// commandOf is an event that asks for the operation, with the data.
func commandOf(operation, data string) Envelope {
	return Envelope{ID: "1", Source: "/a", Type: CommandType(operation), SpecVersion: "1.0", Data: json.RawMessage(data)}
}

// dataOf is valid data for the vendor, with more members.
func dataOf(vendor, more string) string {
	return fmt.Sprintf(`{"vendor":%q,"account":"prod","region":"r1","instanceId":"redis-1"%s}`, vendor, more)
}

func TestParseAccepts(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 678000000, time.UTC)
	for _, c := range []struct {
		name      string
		operation string
		data      string
		check     func(Command) bool
	}{
		{"least", Restart, dataOf("volcengine", ""), func(c Command) bool {
			return c.Vendor == "volcengine" && c.Account == "prod" && c.Region == "r1" && c.InstanceID == "redis-1" &&
				c.Operation == Restart && c.Priority == Normal && !c.DryRun && c.Received.Equal(received) &&
				c.Event == Ref{ID: "1", Source: "/a", Type: "dev.sluice.command.restart.v1"}
		}},
		{"derived token", Restart, dataOf("volcengine", ""), func(c Command) bool {
			return c.Token == DerivedToken("/a", "1") && c.DerivedToken && c.Key == TokenKey(c.Token)
		}},
		{"token", Restart, dataOf("volcengine", `,"clientToken":"a ~"`), func(c Command) bool {
			return c.Token == "a ~" && !c.DerivedToken && c.Key == TokenKey("a ~")
		}},
		{"longest token", Restart, dataOf("volcengine", `,"clientToken":"`+strings.Repeat("x", 127)+`"`), func(c Command) bool { return len(c.Token) == 127 }},
		{"priority", SoftRestart, dataOf("huawei", `,"priority":"bulk"`), func(c Command) bool { return c.Priority == Bulk && c.Operation == SoftRestart }},
		{"dry run", Restart, dataOf("huawei", `,"dryRun":true`), func(c Command) bool { return c.DryRun }},
		{"empty parameters", Restart, dataOf("huawei", `,"parameters":{}`), func(c Command) bool { return c.Parameters == Parameters{} }},
		{"flush", Flush, dataOf("volcengine", ""), func(c Command) bool { return c.Parameters.Password == nil }},
		{"secret by name", Flush, dataOf("tencent-crs", `,"parameters":{"password":{"secretRef":"crs_1.key"}}`), func(c Command) bool {
			return *c.Parameters.Password == Password{SecretRef: "crs_1.key"}
		}},
		{"sealed", Flush, dataOf("tencent", `,"parameters":{"password":{"sealed":"QUJD"}}`), func(c Command) bool {
			return *c.Parameters.Password == Password{Sealed: "QUJD"}
		}},
		{"plain", Flush, dataOf("tencent", `,"parameters":{"password":"p\"w"}`), func(c Command) bool { return c.Parameters.Password.Plain.Reveal() == `p"w` }},
		{"restore", Restore, dataOf("tencent", `,"parameters":{"backupId":"b-1"}`), func(c Command) bool {
			return c.Parameters == Parameters{BackupID: "b-1"}
		}},
		{"point in time", Restore, dataOf("volcengine", `,"parameters":{"timePoint":"2026-01-02t04:04:05.678+01:00"}`), func(c Command) bool {
			return c.Parameters == Parameters{TimePoint: at}
		}},
		{"point in time where there is none is for the engine to say", Restore, dataOf("huawei", `,"parameters":{"timePoint":"2026-01-02T03:04:05Z"}`),
			func(c Command) bool { return !c.Parameters.TimePoint.IsZero() }},
		{"unknown vendor is for the engine to say", Restart, dataOf("aws", ""), func(c Command) bool { return c.Vendor == "aws" }},
		{"longest instance id, in characters", Restart,
			strings.Replace(dataOf("huawei", ""), "redis-1", strings.Repeat("é", 128), 1), func(c Command) bool { return len(c.InstanceID) == 256 }},
		{"blanks around", Restart, " \n" + dataOf("huawei", "") + "\t", func(c Command) bool { return c.Vendor == "huawei" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, why := Parse(commandOf(c.operation, c.data), received)
			if why != nil {
				t.Fatalf("Parse: %v", why)
			}
			if !c.check(got) {
				t.Errorf("Parse = %+v", got)
			}
		})
	}
}

func TestParseRefusesData(t *testing.T) {
	t.Parallel()
	crs := "tencent-crs"
	for _, c := range []struct {
		name      string
		operation string
		data      string
		// want begins the message; more words of it follow.
		want string
		more []string
	}{
		{"no data", Restart, ``, "data is missing", []string{"object"}},
		{"no JSON", Restart, `{"vendor":`, "data is not valid JSON", nil},
		{"no object", Restart, `"x"`, "data must be of type object", nil},
		{"list", Restart, `[]`, "data must be of type object", nil},
		{"all missing", Restart, `{}`, "/vendor is missing", []string{"/account", "/region", "/instanceId"}},
		{"instance missing", Restart, `{"vendor":"huawei","account":"a","region":"r"}`, "/instanceId is missing (The vendor's id of the instance)", nil},
		{"unknown field", Restart, dataOf("huawei", `,"foo":{"a":[1]},"Vendor":1`), "/foo is not a known field", []string{"clientToken"}},
		{"unknown field, the first of the text", Restart, `{"zzz":1,"aaa":2}`, "/zzz is not", nil},
		{"what is wrong comes before what is missing", Restart, `{"vendor":"huawei","priority":"soon"}`, "/priority must be one of [urgent normal bulk]", nil},
		{"the first of the text", Restart, `{"priority":"soon","vendor":5}`, "/priority must", nil},
		{"case counts", Restart, `{"Vendor":"huawei","account":"a","region":"r","instanceId":"i"}`, "/Vendor is not a known field", nil},
		{"pointer escapes", Restart, dataOf("huawei", `,"a/b~\u001b":1`), "/a~1b~0\uFFFD is not a known field", nil},
		{"given twice", Restart, dataOf("huawei", `,"vendor":"tencent"`), "/vendor is given twice", nil},
		{"given twice deeper", Restore, dataOf("huawei", `,"parameters":{"backupId":"a","backupId":"b"}`), "/parameters/backupId is given twice", nil},
		{"empty vendor", Restart, dataOf("", ""), "/vendor must not be empty", nil},
		{"null account", Restart, `{"vendor":"huawei","account":null,"region":"r","instanceId":"i"}`, "/account must be of type string", nil},
		{"number region", Restart, `{"vendor":"huawei","account":"a","region":1e400,"instanceId":"i"}`, "/region must be of type string", nil},
		{"long instance id", Restart, strings.Replace(dataOf("huawei", ""), "redis-1", strings.Repeat("x", 129), 1), "/instanceId must have at most 128 characters", nil},
		{"dryRun as text", Restart, dataOf("huawei", `,"dryRun":"true"`), "/dryRun must be of type boolean", nil},
		{"empty token", Restart, dataOf("huawei", `,"clientToken":""`), "/clientToken must", nil},
		{"long token", Restart, dataOf("huawei", `,"clientToken":"`+strings.Repeat("x", 128)+`"`), "/clientToken must have at most 127 characters", nil},
		{"token not ASCII", Restart, dataOf("huawei", `,"clientToken":"é"`), "/clientToken must be printable ASCII", nil},
		{"token with a newline at its end", Restart, dataOf("huawei", `,"clientToken":"a\n"`), "/clientToken must be printable ASCII", nil},
		{"token with DEL", Restart, dataOf("huawei", `,"clientToken":"a\u007f"`), "/clientToken must be printable ASCII", nil},
		{"parameters of a restart", Restart, dataOf("huawei", `,"parameters":{"backupId":"x"}`), "/parameters/backupId is not a known field; no fields are taken here", nil},
		{"parameters no object", Restart, dataOf("huawei", `,"parameters":null`), "/parameters must be of type object", nil},
		{"unknown parameter", Flush, dataOf("huawei", `,"parameters":{"foo":1}`), "/parameters/foo is not a known field; the fields are password", nil},
		{"backup for a flush", Flush, dataOf("huawei", `,"parameters":{"backupId":"x"}`), "/parameters/backupId is not a known field", nil},
		{"neither", Restore, dataOf("huawei", ``), "/parameters/backupId or /parameters/timePoint is missing", nil},
		{"neither, with parameters", Restore, dataOf("huawei", `,"parameters":{}`), "/parameters/backupId or /parameters/timePoint is missing", nil},
		{"both", Restore, dataOf("volcengine", `,"parameters":{"backupId":"x","timePoint":"2026-01-02T03:04:05Z"}`), "/parameters must hold exactly one of /parameters/backupId and /parameters/timePoint", nil},
		{"leap second", Restore, dataOf("volcengine", `,"parameters":{"timePoint":"2016-12-31T23:59:60Z"}`), "/parameters/timePoint must be an RFC 3339", nil},
		{"zero time", Restore, dataOf("volcengine", `,"parameters":{"timePoint":"0001-01-01T00:00:00Z"}`), "/parameters/timePoint must be an RFC 3339", nil},
		{"date only", Restore, dataOf("volcengine", `,"parameters":{"timePoint":"2026-01-02"}`), "/parameters/timePoint must be an RFC 3339", nil},
		{"no password", Flush, dataOf(crs, ``), "/parameters/password is missing", nil},
		{"no password, with parameters", Flush, dataOf(crs, `,"parameters":{}`), "/parameters/password is missing", nil},
		{"no password for a restore", Restore, dataOf(crs, `,"parameters":{"backupId":"1"}`), "/parameters/password is missing", nil},
		{"nothing for a restore", Restore, dataOf(crs, ``), "/parameters/backupId or /parameters/timePoint is missing", []string{"/parameters/password is missing"}},
		{"password where none is taken", Flush, dataOf("volcengine", `,"parameters":{"password":"x"}`), "/parameters/password is not taken", nil},
		{"password where none is taken for a restore", Restore, dataOf("huawei", `,"parameters":{"backupId":"1","password":{"secretRef":"x"}}`), "/parameters/password is not taken", nil},
		{"empty password", Flush, dataOf(crs, `,"parameters":{"password":""}`), "/parameters/password must not be empty", nil},
		{"number as password", Flush, dataOf(crs, `,"parameters":{"password":1}`), "/parameters/password must be of type string or object", nil},
		{"password without a form", Flush, dataOf(crs, `,"parameters":{"password":{}}`), "/parameters/password must hold exactly one", nil},
		{"password in two forms", Flush, dataOf(crs, `,"parameters":{"password":{"secretRef":"a","sealed":"b"}}`), "/parameters/password must hold exactly one", nil},
		{"password in another form", Flush, dataOf(crs, `,"parameters":{"password":{"plain":"hunter2"}}`), "/parameters/password/plain is not a known field", nil},
		{"secret outside the directory", Flush, dataOf(crs, `,"parameters":{"password":{"secretRef":"../hunter2"}}`), "/parameters/password/secretRef must be a file name", nil},
		{"hidden secret", Flush, dataOf(crs, `,"parameters":{"password":{"secretRef":".hunter2"}}`), "/parameters/password/secretRef must be a file name", nil},
		{"object as secret name", Flush, dataOf(crs, `,"parameters":{"password":{"secretRef":{"a":"hunter2"}}}`), "/parameters/password/secretRef must be of type string", nil},
		{"list as sealed", Flush, dataOf(crs, `,"parameters":{"password":{"sealed":["hunter2"]}}`), "/parameters/password/sealed must be of type string", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for range 3 { // the validator walks maps; the answer must not depend on it
				got, why := Parse(commandOf(c.operation, c.data), received)
				if why == nil || why.Status != Rejected || why.Code != ReasonInvalidData {
					t.Fatalf("Parse: %v, want invalid_data", why)
				}
				for _, word := range append(c.more, c.want) {
					if !strings.Contains(why.Message, word) {
						t.Errorf("message %q lacks %q", why.Message, word)
					}
				}
				if !strings.HasPrefix(why.Message, c.want) || strings.Contains(why.Message, "hunter2") {
					t.Errorf("message %q, want it to begin with %q and to keep values to itself", why.Message, c.want)
				}
				if got.Event.ID != "1" || got.Operation != c.operation || got.Key != TokenKey(got.Token) || got.Key == "" {
					t.Errorf("the command cannot be answered: %+v", got)
				}
			}
		})
	}
}

func TestParseRefusesEvents(t *testing.T) {
	t.Parallel()
	good := dataOf("huawei", `,"clientToken":"t"`)
	with := func(e Envelope, change func(*Envelope)) Envelope { change(&e); return e }
	for _, c := range []struct {
		name      string
		event     Envelope
		code      string
		word      string
		operation string
	}{
		{"unknown operation", commandOf("reboot", good), ReasonInvalidEvent, "dev.sluice.command.reboot.v1", "reboot"},
		{"another version", with(commandOf(Restart, good), func(e *Envelope) { e.Type = "dev.sluice.command.restart.v2" }), ReasonInvalidEvent, "restart.v2", ""},
		{"a result", with(commandOf(Restart, good), func(e *Envelope) { e.Type = ResultType(Succeeded) }), ReasonInvalidEvent, "result", ""},
		{"another type", with(commandOf(Restart, good), func(e *Envelope) { e.Type = "com.example.\x1b[2J" }), ReasonInvalidEvent, `com.example.\x1b`, ""},
		{"type before data", commandOf("reboot", `{`), ReasonInvalidEvent, "reboot", "reboot"},
		{"bad expirytime", with(commandOf(Restart, good), func(e *Envelope) { e.Extensions = map[string]string{"expirytime": "soon"} }), ReasonInvalidEvent, "expirytime", Restart},
		{"not JSON by content type", with(commandOf(Restart, good), func(e *Envelope) { e.DataContentType = "text/plain" }), ReasonInvalidData, "data is not JSON", Restart},
		{"data before subject", with(commandOf(Restart, dataOf("", "")), func(e *Envelope) { e.Subject = "redis-2" }), ReasonInvalidData, "/vendor", Restart},
		{"another subject", with(commandOf(Restart, good), func(e *Envelope) { e.Subject = "redis-2" }), ReasonSubjectMismatch, "subject", Restart},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, why := Parse(c.event, received)
			if why == nil || why.Status != Rejected || why.Code != c.code || !strings.Contains(why.Message, c.word) {
				t.Fatalf("Parse: %+v, want %s with %q", why, c.code, c.word)
			}
			if got.Operation != c.operation {
				t.Errorf("operation %q, want %q", got.Operation, c.operation)
			}
		})
	}
	if _, why := Parse(with(commandOf(Restart, good), func(e *Envelope) { e.Subject, e.DataContentType = "redis-1", "application/vnd.x+json; charset=utf-8" }), received); why != nil {
		t.Errorf("the instance id as subject: %v", why)
	}
}

func TestParseFillsWhatItCan(t *testing.T) {
	t.Parallel()
	c, why := Parse(commandOf(Restart, `{"vendor":"huawei","account":7,"region":"r","instanceId":"i","clientToken":"tok","priority":"bulk","dryRun":true,"x":1}`), received)
	if why == nil || c.Vendor != "huawei" || c.Account != "" || c.Region != "r" || c.InstanceID != "i" || c.Token != "tok" || c.Priority != Bulk || !c.DryRun {
		t.Errorf("Parse = %+v, %v", c, why)
	}
	c, why = Parse(commandOf(Restart, `{"vendor":"huawei","clientToken":"é"}`), received)
	if why == nil || c.Token != DerivedToken("/a", "1") || !c.DerivedToken {
		t.Errorf("malformed token: Parse = %+v, %v", c, why)
	}
	c, why = Parse(commandOf(Restart, `{"clientToken":"a","vendor":"huawei","clientToken":"b"}`), received)
	if why == nil || c.Token != DerivedToken("/a", "1") || c.Vendor != "huawei" {
		t.Errorf("token given twice: Parse = %+v, %v", c, why)
	}
}

// Bad input must not cost more than it weighs.
func TestParseBoundsWhatItRepeats(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", 30000)
	_, why := Parse(commandOf(Restart, dataOf("huawei", `,"`+long+`":{"a":{"b":{"c":{}}}}`)), received)
	if why == nil || len(why.Message) > 400 {
		t.Errorf("Parse: %v", why)
	}
	_, why = Parse(commandOf(long, "{}"), received)
	if why == nil || len(why.Message) > 400 {
		t.Errorf("Parse: %v", why)
	}
}
