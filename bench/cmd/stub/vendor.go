package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Statuses of an instance.
const (
	running    = "Running"
	restarting = "Restarting"
)

// vendor is what the stub knows: the instances it has heard of, those that
// restart, for good, and the calls.
type vendor struct {
	mu      sync.Mutex
	ids     []string
	rows    []string       // of the list, for each id: made anew for every page they would be most of the stub's work
	at      map[string]int // of an id, in ids
	busy    map[string]bool
	arrived map[string][]arrival
}

// arrival is one call; id is the instance's, empty for lists.
type arrival struct {
	at time.Time
	id string
}

func newVendor() *vendor {
	return &vendor{at: map[string]int{}, busy: map[string]bool{}, arrived: map[string][]arrival{}}
}

// know makes an instance exist. The caller holds the lock, or is alone.
func (v *vendor) know(id string) {
	if _, ok := v.at[id]; !ok {
		v.at[id] = len(v.ids)
		v.ids, v.rows = append(v.ids, id), append(v.rows, v.row(id, rowExtra))
	}
}

// answer appends the response to a request that arrived at the time.
func (v *vendor) answer(out []byte, r *request, now time.Time) []byte {
	if bytes.HasPrefix(r.target, []byte("/_stub/")) {
		return respond(out, v.admin(string(r.target)))
	}
	action := parameter(r.target, "Action=")
	id := member(r.body, `"InstanceId":"`)
	return respond(out, v.carryOut(action, id, r.body, now))
}

// carryOut does what a call asks for and returns the answer's body.
func (v *vendor) carryOut(action, id string, body []byte, now time.Time) []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.arrived[action] = append(v.arrived[action], arrival{now, id})
	if id != "" {
		v.know(id)
	}
	switch {
	case action == "RestartDBInstance" && id != "":
		v.busy[id] = true
		v.rows[v.at[id]] = v.row(id, rowExtra)
	case action == "DescribeDBInstanceDetail":
		return accept(action, v.row(id, detailExtra))
	case action == "DescribeDBInstances":
		return accept(action, v.page(body))
	}
	return accept(action, "null")
}

// accept wraps a result. Source of the shape: Volcengine docs 6293/65745.
func accept(action, result string) []byte {
	return []byte(`{"ResponseMetadata":{"RequestId":"20261125120000AABBCCDDEEFF00112233","Action":"` + action +
		`","Version":"2020-12-07","Service":"Redis","Region":"cn-beijing"},"Result":` + result + `}`)
}

// The members of an instance beyond those of interest are as many as the
// vendor's own, since whoever reads the answer pays for them.
const (
	common = `","RegionId":"cn-beijing","ZoneIds":["cn-beijing-a"],"EngineVersion":"6.0","InstanceClass":"PrimarySecondary",` +
		`"ShardedCluster":0,"ShardNumber":1,"NodeNumber":2,"ShardCapacity":1024,"Capacity":{"Total":1024,"Used":128},` +
		`"CreateTime":"2026-01-02T03:04:05Z","ExpiredTime":"","ChargeType":"PostPaid","VpcId":"vpc-stub","ProjectName":"default",` +
		`"DeletionProtection":"disabled","MultiAZ":"disabled","DataLayout":"RAM","Tags":[]`
	rowExtra    = `,"PrivateAddress":"stub.redis.ivolces.com","VIP":"192.168.0.10","VIPv6":"","ServiceType":"Basic"}`
	detailExtra = `,"ConfigureNodes":[{"AZ":"cn-beijing-a"}],"ShardCapacityV2":1024,"SubnetId":"subnet-stub",` +
		`"VisitAddrs":[{"AddrType":"Private","Address":"stub.redis.ivolces.com","Port":"6379","VIP":"192.168.0.10","VIPv6":"","EipId":""}],` +
		`"MaintenanceTime":"02:00-06:00","AutoRenew":false,"VpcAuthMode":"close","MaxConnections":10000}`
)

// row is one instance.
func (v *vendor) row(id, extra string) string {
	status := running
	if v.busy[id] {
		status = restarting
	}
	return `{"InstanceId":"` + id + `","InstanceName":"` + id + `","Status":"` + status + common + extra
}

// page is the part of the list that is asked for.
func (v *vendor) page(body []byte) string {
	number, size := max(numberIn(body, `"PageNumber":`), 1), numberIn(body, `"PageSize":`)
	if size == 0 {
		size = 10
	}
	from := min((number-1)*size, len(v.ids))
	shown := v.rows[from:min(from+size, len(v.rows))]
	var b strings.Builder
	b.Grow(len(shown)*1024 + 64)
	fmt.Fprintf(&b, `{"TotalInstancesNum":%d,"Instances":[`, len(v.ids))
	for i, row := range shown {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(row)
	}
	b.WriteString("]}")
	return b.String()
}

// parameter is a value in the query.
func parameter(target []byte, name string) string {
	_, rest, _ := bytes.Cut(target, []byte(name))
	value, _, _ := bytes.Cut(rest, []byte("&"))
	return string(value)
}

// member is a string in the body.
func member(body []byte, name string) string {
	_, rest, ok := bytes.Cut(body, []byte(name))
	if !ok {
		return ""
	}
	value, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(value)
}

// numberIn is a number in the body, 0 if there is none.
func numberIn(body []byte, name string) int {
	_, rest, _ := bytes.Cut(body, []byte(name))
	end := bytes.IndexAny(rest, ",}")
	if end < 0 {
		return 0
	}
	n, _ := strconv.Atoi(string(bytes.TrimSpace(rest[:end])))
	return n
}
