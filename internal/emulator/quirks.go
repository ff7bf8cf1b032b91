package emulator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Quirks chooses between behaviours that the vendors leave open or that differ
// between their documents. Empty fields mean the first value named.
type Quirks struct {
	// StatusLag is how long accepted work stays invisible in the status.
	StatusLag time.Duration `json:"-"`
	// RowLag is how long tasks, restore records and backups stay out of lists.
	RowLag time.Duration `json:"-"`
	// SignatureLife is how old a signature may be when the vendor judges it; zero
	// means the vendor's own window. A short one lets tests see in seconds what
	// happens to a request that outlives its signature. Signatures tell whole
	// seconds, so a signature may lapse up to a second early, never late.
	SignatureLife time.Duration `json:"-"`
	// BusyAccepted makes a busy instance take more work instead of refusing.
	BusyAccepted bool `json:"busyAccepted"`
	// TaskError makes failing Tencent and CRS tasks end error and -1 instead of
	// failed and 3.
	TaskError bool `json:"taskError"`
	// RetryAfter is sent with throttled answers, if not empty.
	RetryAfter string `json:"retryAfter"`

	// VolcengineThrottle is the HTTP status of a throttled call: 429 or 400.
	VolcengineThrottle int `json:"volcengineThrottle"`
	// VolcengineToken is what a repeated ClientToken does: replay (the first
	// answer again), ignore, or mismatch (replay, but refuse other parameters).
	VolcengineToken string `json:"volcengineToken"`
	// VolcengineFlush is sync (done when answered) or async.
	VolcengineFlush string `json:"volcengineFlush"`

	// HuaweiEmptyList is the HTTP status of empty record lists: 204 or 200.
	HuaweiEmptyList int `json:"huaweiEmptyList"`
	// HuaweiTaskCount is string or number.
	HuaweiTaskCount string `json:"huaweiTaskCount"`
	// HuaweiCodes is dcs (DCS.4111), legacy (111400111) or spaced (DCS. 4111).
	HuaweiCodes string `json:"huaweiCodes"`
	// HuaweiSingle is how a refused status call for one instance is told:
	// request (HTTP 400 with the code) or item (200, that item failed).
	HuaweiSingle string `json:"huaweiSingle"`
	// HuaweiBatch is the same for several instances: item or request.
	HuaweiBatch string `json:"huaweiBatch"`
	// HuaweiTaskLinger keeps the task object of a finished operation for a while
	// though the status is RUNNING again.
	HuaweiTaskLinger time.Duration `json:"-"`

	// TencentTaskID is number or string.
	TencentTaskID string `json:"tencentTaskId"`
	// TencentStatus is lower or capital (Succeed).
	TencentStatus string `json:"tencentStatus"`

	// CRSCode is number, string, or bracketed (code 4000 with the business code
	// in the message).
	CRSCode string `json:"crsCode"`
	// CRSTaskData is the data of DescribeTaskInfo: object or array.
	CRSTaskData string `json:"crsTaskData"`
	// CRSReplayWindow is how far a clock may be off and how long a nonce is
	// remembered; 5 minutes.
	CRSReplayWindow time.Duration `json:"-"`
	// CRSHTTPS refuses plain HTTP, as the vendor does.
	CRSHTTPS bool `json:"crsHTTPS"`
}

// choice is a quirk with a closed set of values, the default first.
type choice[T comparable] struct {
	name   string
	field  *T
	values []T
}

func (q *Quirks) words() []choice[string] {
	return []choice[string]{
		{"volcengineToken", &q.VolcengineToken, []string{"replay", "ignore", "mismatch"}},
		{"volcengineFlush", &q.VolcengineFlush, []string{"sync", "async"}},
		{"huaweiTaskCount", &q.HuaweiTaskCount, []string{"string", "number"}},
		{"huaweiCodes", &q.HuaweiCodes, []string{"dcs", "legacy", "spaced"}},
		{"huaweiSingle", &q.HuaweiSingle, []string{"request", "item"}},
		{"huaweiBatch", &q.HuaweiBatch, []string{"item", "request"}},
		{"tencentTaskId", &q.TencentTaskID, []string{"number", "string"}},
		{"tencentStatus", &q.TencentStatus, []string{"lower", "capital"}},
		{"crsCode", &q.CRSCode, []string{"number", "string", "bracketed"}},
		{"crsTaskData", &q.CRSTaskData, []string{"object", "array"}},
	}
}

func (q *Quirks) statuses() []choice[int] {
	return []choice[int]{
		{"volcengineThrottle", &q.VolcengineThrottle, []int{429, 400}},
		{"huaweiEmptyList", &q.HuaweiEmptyList, []int{204, 200}},
	}
}

const defaultReplayWindow = 5 * time.Minute

func (q Quirks) withDefaults() Quirks {
	fill(q.words())
	fill(q.statuses())
	q.SignatureLife = max(q.SignatureLife, 0)
	if q.CRSReplayWindow <= 0 {
		q.CRSReplayWindow = defaultReplayWindow
	}
	return q
}

func fill[T comparable](choices []choice[T]) {
	var zero T
	for _, c := range choices {
		if *c.field == zero {
			*c.field = c.values[0]
		}
	}
}

// signatureLife is the age limit of signatures at a vendor whose own is given.
func (q Quirks) signatureLife(own time.Duration) time.Duration {
	return cmp.Or(q.SignatureLife, own)
}

// check refuses values outside the sets above; an unnoticed typing mistake
// would test nothing.
func (q Quirks) check() error {
	if err := checkChoices(q.words()); err != nil {
		return err
	}
	return checkChoices(q.statuses())
}

func checkChoices[T comparable](choices []choice[T]) error {
	for _, c := range choices {
		if !slices.Contains(c.values, *c.field) {
			return fmt.Errorf("quirk %s: %v is none of %s", c.name, *c.field, strings.Trim(fmt.Sprint(c.values), "[]"))
		}
	}
	return nil
}

// plainQuirks is Quirks without its methods.
type plainQuirks Quirks

// quirksJSON is the form of Quirks in the administration.
type quirksJSON struct {
	StatusLag        duration `json:"statusLag"`
	RowLag           duration `json:"rowLag"`
	SignatureLife    duration `json:"signatureLife"`
	HuaweiTaskLinger duration `json:"huaweiTaskLinger"`
	CRSReplayWindow  duration `json:"crsReplayWindow"`
	plainQuirks
}

func (q Quirks) json() quirksJSON {
	return quirksJSON{
		duration(q.StatusLag), duration(q.RowLag), duration(q.SignatureLife),
		duration(q.HuaweiTaskLinger), duration(q.CRSReplayWindow), plainQuirks(q),
	}
}

// MarshalJSON writes durations as text.
func (q Quirks) MarshalJSON() ([]byte, error) { return json.Marshal(q.json()) }

// UnmarshalJSON changes the fields that are given and keeps the others.
func (q *Quirks) UnmarshalJSON(raw []byte) error {
	j := q.json()
	if err := decodeStrict(raw, &j); err != nil {
		return err
	}
	got := Quirks(j.plainQuirks)
	got.StatusLag, got.RowLag = time.Duration(j.StatusLag), time.Duration(j.RowLag)
	got.SignatureLife = time.Duration(j.SignatureLife)
	got.HuaweiTaskLinger, got.CRSReplayWindow = time.Duration(j.HuaweiTaskLinger), time.Duration(j.CRSReplayWindow)
	got = got.withDefaults()
	if err := got.check(); err != nil {
		return err
	}
	*q = got
	return nil
}
