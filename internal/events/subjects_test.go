package events

import (
	"strings"
	"testing"
)

func TestSubjects(t *testing.T) {
	t.Parallel()
	s := Subjects{Prefix: "sluice"}
	lane := Lane{"volcengine", "prod", "cn-beijing", Restart, Urgent}
	for _, c := range []struct{ name, got, want string }{
		{"intake", s.Intake(), "sluice.intake"},
		{"lane", s.Lane(lane), "sluice.commands.volcengine.prod.cn-beijing.restart.urgent"},
		{"dead letter", s.DeadLetter(TooLarge), "sluice.deadletters.too_large"},
		{"result", s.Result(Result{Vendor: "huawei", Account: "hw", Region: "cn-north-4", Operation: Flush, Status: Failed}),
			"sluice.results.huawei.hw.cn-north-4.flush.failed"},
		{"result with parts that cannot stand in a subject",
			s.Result(Result{Vendor: "a.b", Account: "", Region: "*", Operation: strings.Repeat("x", 65), Status: Rejected}),
			"sluice.results._._._._.rejected"},
		{"result with the longest part", s.Result(Result{Vendor: strings.Repeat("x", 64), Account: ">", Region: "é", Operation: "A_-9", Status: Rejected}),
			"sluice.results." + strings.Repeat("x", 64) + "._._.A_-9.rejected"},
		{"source", Result{Vendor: "tencent", Account: "a b", Region: "ap-guangzhou"}.Source(), "/sluice/tencent/_/ap-guangzhou"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
}

func TestParseLane(t *testing.T) {
	t.Parallel()
	s := Subjects{Prefix: "sluice"}
	want := Lane{"tencent-crs", "tc", "gz", Restore, Bulk}
	if got, ok := s.ParseLane(s.Lane(want)); !ok || got != want {
		t.Errorf("ParseLane = %+v, %v", got, ok)
	}
	for _, subject := range []string{
		"", "sluice.intake", "sluice.commands", "sluice.commands.a.b.c.d", "sluice.commands.a.b.c.d.e.f",
		"sluice.commands.a..c.d.e", "other.commands.a.b.c.d.e", "sluice.results.a.b.c.d.e",
	} {
		if got, ok := s.ParseLane(subject); ok {
			t.Errorf("ParseLane(%q) = %+v, want none", subject, got)
		}
	}
}
