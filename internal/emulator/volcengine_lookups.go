package emulator

import (
	"strings"
	"time"
)

// volcStatus is the instance's status. Source: Volcengine docs 6293/71563.
func volcStatus(v view) string {
	switch {
	case v.conf.Status != "":
		return v.conf.Status
	case v.shown != nil && v.shown.op == Restart:
		return "Restarting"
	case v.shown != nil && v.shown.op == Restore:
		return "Restoring"
	case v.lock == nil && v.last != nil && v.last.failed:
		return "TaskFailed"
	}
	return "Running"
}

func volcTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

type volcCapacity struct{ Total, Used int64 }

// volcInstance is what the list and the detail of an instance share.
type volcInstance struct {
	InstanceId, InstanceName, Status, RegionId string
	ZoneIds                                    []string
	EngineVersion, InstanceClass               string
	ShardedCluster, ShardNumber, NodeNumber    int
	ShardCapacity                              float64
	Capacity                                   volcCapacity
	CreateTime, ExpiredTime, ChargeType, VpcId string
	ProjectName, DeletionProtection            string
	MultiAZ, DataLayout                        string
	Tags                                       []struct{ Key, Value string }
}

type volcDetail struct {
	volcInstance
	ConfigureNodes  []struct{ AZ string }
	ShardCapacityV2 int64
	SubnetId        string
	VisitAddrs      []volcAddress
	MaintenanceTime string
	AutoRenew       bool
	VpcAuthMode     string
	MaxConnections  int
}

type volcAddress struct{ AddrType, Address, Port, VIP, VIPv6, EipId string }

type volcRow struct {
	volcInstance
	PrivateAddress, VIP, VIPv6, ServiceType string
}

func volcDescribe(x *exchange, v view) volcInstance {
	class, nodes := "PrimarySecondary", 2
	if v.standalone() {
		class, nodes = "Standalone", 1
	}
	region := orText(v.conf.Region, x.region)
	return volcInstance{
		InstanceId: v.id, InstanceName: v.id, Status: volcStatus(v), RegionId: region, ZoneIds: []string{region + "-a"},
		EngineVersion: v.conf.EngineVersion, InstanceClass: class, ShardNumber: 1, NodeNumber: nodes,
		ShardCapacity: 1024, Capacity: volcCapacity{1024, 128}, CreateTime: volcTime(v.made), ChargeType: "PostPaid",
		VpcId: "vpc-emulated", ProjectName: "default", DeletionProtection: "disabled", MultiAZ: "disabled",
		DataLayout: "RAM", Tags: []struct{ Key, Value string }{},
	}
}

func (v *volcengine) describeDetail(x *exchange, in volcInput) (any, *refusal) {
	found, r := v.target(x, in)
	if r != nil {
		return nil, r
	}
	d := volcDetail{
		volcInstance: volcDescribe(x, found.look(x.at)), ShardCapacityV2: 1024, SubnetId: "subnet-emulated",
		MaintenanceTime: "02:00-06:00", VpcAuthMode: "close", MaxConnections: 10000,
		VisitAddrs: []volcAddress{{AddrType: "Private", Address: in.InstanceId + ".redis.ivolces.com", Port: "6379", VIP: "192.168.0.10"}},
	}
	d.ConfigureNodes = []struct{ AZ string }{{d.ZoneIds[0]}}
	return d, nil
}

func (v *volcengine) describeInstances(x *exchange, in volcInput) (any, *refusal) {
	from, size, r := volcPage(in, 10)
	if r != nil {
		return nil, r
	}
	filtered := in.Status != "" || in.EngineVersion != "" || in.InstanceName != "" || in.ServiceType == "Enterprise"
	kept := keep(volcCandidates(x, in), filtered, func(found *instance) bool {
		v := found.look(x.at)
		return (in.Status == "" || volcStatus(v) == in.Status) && (in.EngineVersion == "" || v.conf.EngineVersion == in.EngineVersion) &&
			strings.Contains(found.id, in.InstanceName) && in.ServiceType != "Enterprise"
	})
	rows := []volcRow{}
	for _, found := range cut(kept, from, size) {
		rows = append(rows, volcRow{volcDescribe(x, found.look(x.at)), found.id + ".redis.ivolces.com", "192.168.0.10", "", "Basic"})
	}
	return struct {
		TotalInstancesNum int
		Instances         []volcRow
	}{len(kept), rows}, nil
}

// volcCandidates are the instances that a list may show: the one asked for,
// made if need be, or those of the region.
func volcCandidates(x *exchange, in volcInput) []*instance {
	if in.InstanceId == "" {
		return x.s.store.list(x.vendor, orText(in.RegionId, x.region))
	}
	if found := x.instance(in.InstanceId); found != nil {
		return []*instance{found}
	}
	return nil
}

// volcPage reads the page that is asked for; a size of 0 means everything.
func volcPage(in volcInput, size int) (from, n int, r *refusal) {
	page := 1
	if in.PageNumber != nil {
		page = *in.PageNumber
	}
	if in.PageSize != nil {
		size = *in.PageSize
	}
	if page < 1 || size < 0 || in.PageSize != nil && size == 0 || size > 1000 {
		return 0, 0, volcRefuse("ParamError", "PageNumber starts at 1, PageSize is 1 to 100.")
	}
	return (page - 1) * size, size, nil
}

// keep is the rows that a list shows: all of them unless it is filtered. A row is
// written out only once it is known to be on the page.
func keep[T any](all []T, filtered bool, wanted func(T) bool) []T {
	if !filtered {
		return all
	}
	var out []T
	for _, one := range all {
		if wanted(one) {
			out = append(out, one)
		}
	}
	return out
}

// cut takes a page out of rows; n 0 means all of them.
func cut[T any](rows []T, from, n int) []T {
	from = min(max(from, 0), len(rows))
	if n <= 0 {
		return rows[from:]
	}
	return rows[from:min(from+n, len(rows))]
}
