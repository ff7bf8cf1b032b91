package events

import (
	"strings"
	"testing"
	"time"
)

func TestMatches(t *testing.T) {
	t.Parallel()
	own := Lane{"huawei", "prod", "r1", Restart, Normal}
	for _, c := range []struct {
		name string
		more string
		lane func(*Lane)
		// want is the priority, or a word of the refusal after an exclamation mark.
		want string
	}{
		{"own lane", `,"priority":"normal"`, func(*Lane) {}, Normal},
		{"default", ``, func(*Lane) {}, Normal},
		{"the lane's priority where the data has none", ``, func(l *Lane) { l.Priority = Urgent }, Urgent},
		{"another priority", `,"priority":"normal"`, func(l *Lane) { l.Priority = Urgent }, "!priority"},
		{"unknown priority", ``, func(l *Lane) { l.Priority = "soon" }, "!priority"},
		{"another vendor", ``, func(l *Lane) { l.Vendor = "tencent" }, "!vendor"},
		{"another account", ``, func(l *Lane) { l.Account = "x" }, "!account"},
		{"another region", ``, func(l *Lane) { l.Region = "x" }, "!region"},
		{"another operation", ``, func(l *Lane) { l.Operation = Flush }, "!operation"},
		{"unknown operation", ``, func(l *Lane) { l.Operation = "reboot" }, "!operation"},
		{"case counts", ``, func(l *Lane) { l.Region = "R1" }, "!region"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cmd, why := Parse(commandOf(Restart, dataOf("huawei", c.more)), received)
			if why != nil {
				t.Fatal(why)
			}
			lane := own
			c.lane(&lane)
			why = cmd.Matches(lane)
			word, refused := strings.CutPrefix(c.want, "!")
			switch {
			case !refused && (why != nil || cmd.Priority != c.want || cmd.Lane() != lane):
				t.Errorf("Matches: %v, priority %s, lane %v; want %s", why, cmd.Priority, cmd.Lane(), c.want)
			case refused && (why == nil || why.Code != ReasonSubjectMismatch || why.Status != Rejected || !strings.Contains(why.Message, word)):
				t.Errorf("Matches: %v, want a mismatch of the %s", why, word)
			}
		})
	}
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		time, expiry time.Duration
		want         time.Duration
	}{
		{"own expirytime", 0, time.Minute, time.Minute},
		{"own expirytime, late", 0, 100 * time.Hour, 100 * time.Hour},
		{"time", -10 * time.Minute, 0, 50 * time.Minute},
		{"time a little ahead", 5 * time.Minute, 0, 65 * time.Minute},
		{"time too far ahead", 5*time.Minute + 1, 0, time.Hour},
	} {
		cmd := Command{Received: received, Event: Ref{Time: received.Add(c.time)}}
		if c.expiry != 0 {
			cmd.ExpiryTime = received.Add(c.expiry)
		}
		if got := cmd.Deadline(time.Hour); !got.Equal(received.Add(c.want)) {
			t.Errorf("%s: %v, want %v", c.name, got.Sub(received), c.want)
		}
	}
	if got := (Command{Received: received}).Deadline(time.Hour); !got.Equal(received.Add(time.Hour)) {
		t.Errorf("no time: %v", got)
	}
}
