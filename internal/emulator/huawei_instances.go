package emulator

import (
	"strings"
	"time"
)

// hwStatus is the instance's status.
func hwStatus(v view) string {
	if v.conf.Status != "" {
		return v.conf.Status
	}
	if v.shown != nil {
		switch v.shown.op {
		case Restart, SoftRestart:
			return "RESTARTING"
		case Flush:
			return "FLUSHING"
		case Restore:
			return "RESTORING"
		}
	}
	// A restore that fails is rolled back; other failures leave a fault.
	if v.lock == nil && v.last != nil && v.last.failed && v.last.op != Restore {
		return "ERROR"
	}
	return "RUNNING"
}

func hwName(id string) string { return "dcs-" + id }

func hwTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// hwInstance is what the list and the detail of an instance share.
type hwInstance struct {
	InstanceID       string     `json:"instance_id"`
	Name             string     `json:"name"`
	Status           string     `json:"status"`
	SubStatus        string     `json:"sub_status,omitempty"`
	Engine           string     `json:"engine"`
	EngineVersion    string     `json:"engine_version"`
	CPUType          string     `json:"cpu_type"`
	SpecCode         string     `json:"spec_code"`
	Capacity         int32      `json:"capacity"`
	MaxMemory        int32      `json:"max_memory"`
	UsedMemory       int32      `json:"used_memory"`
	IP               string     `json:"ip"`
	Port             int32      `json:"port"`
	DomainName       string     `json:"domain_name"`
	NoPasswordAccess string     `json:"no_password_access"`
	AccessUser       string     `json:"access_user"`
	EnableSSL        bool       `json:"enable_ssl"`
	EnablePublicIP   bool       `json:"enable_publicip"`
	VpcID            string     `json:"vpc_id"`
	VpcName          string     `json:"vpc_name"`
	SubnetID         string     `json:"subnet_id"`
	SecurityGroupID  string     `json:"security_group_id"`
	AzCodes          []string   `json:"az_codes"`
	MaintainBegin    string     `json:"maintain_begin"`
	MaintainEnd      string     `json:"maintain_end"`
	CreatedAt        string     `json:"created_at"`
	ServiceUpgrade   bool       `json:"service_upgrade"`
	ServiceTaskID    string     `json:"service_task_id"`
	ChargingMode     int32      `json:"charging_mode"`
	EnterpriseID     string     `json:"enterprise_project_id"`
	Tags             []struct{} `json:"tags"`
	UserID           string     `json:"user_id"`
	UserName         string     `json:"user_name"`
	Description      string     `json:"description"`
}

func hwDescribe(x *exchange, v view) hwInstance {
	mode := "ha"
	if v.standalone() {
		mode = "single"
	}
	zone := hwRegion(x.r.Host, "cn-north-4") + "a"
	open := "false"
	if v.conf.NoPassword {
		open = "true"
	}
	return hwInstance{
		InstanceID: v.id, Name: hwName(v.id), Status: hwStatus(v), Engine: "Redis", EngineVersion: v.conf.EngineVersion,
		CPUType: "x86_64", SpecCode: "redis." + mode + ".xu1.large.r2.1",
		Capacity: 1, MaxMemory: 1024, UsedMemory: 128, IP: "192.168.0.20", Port: 6379,
		DomainName: "redis-" + v.id + ".dcs.huaweicloud.com", NoPasswordAccess: open,
		VpcID: "11111111-2222-4333-8444-555555555555", VpcName: "vpc-emulated", SubnetID: "11111111-2222-4333-8444-666666666666",
		SecurityGroupID: "11111111-2222-4333-8444-777777777777", AzCodes: []string{zone},
		MaintainBegin: "02:00:00", MaintainEnd: "06:00:00", CreatedAt: hwTime(v.made),
		EnterpriseID: "0", Tags: []struct{}{},
		UserID: "0123456789abcdef0123456789abcdef", UserName: "emulated",
	}
}

// hwTask is the current task of an instance. Its inner fields are not
// documented; clients only ask whether it is null.
type hwTask struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Status    string `json:"status"`
	CreatedAt string `json:"created_at"`
}

// hwTaskOf is the task object: present while work shows, and for a while after
// if the quirk asks for it.
func hwTaskOf(x *exchange, v view) *hwTask {
	w := v.shown
	if w == nil && v.last != nil && x.at.Sub(v.last.ends) < x.set.quirks.HuaweiTaskLinger {
		w = v.last
	}
	if w == nil {
		return nil
	}
	return &hwTask{uuidOf(0x7a, w.id), strings.ToUpper(string(w.op)), "RUNNING", hwTime(w.accepted)}
}

func hwShowInstance(x *exchange, in hwInput) (any, *refusal) {
	found, r := hwTarget(x, in.instance)
	if r != nil {
		return nil, r
	}
	v := found.look(x.at)
	mode, replicas := "ha", int32(2)
	if v.standalone() {
		mode, replicas = "single", 1
	}
	return struct {
		hwInstance

		CacheMode     string `json:"cache_mode"`
		ProductType   string `json:"product_type"`
		StorageType   string `json:"storage_type"`
		SubnetName    string `json:"subnet_name"`
		LaunchedAt    string `json:"launched_at"`
		ReplicaCount  int32  `json:"replica_count"`
		ShardingCount int32  `json:"sharding_count"`
		DBNumber      int32  `json:"db_number"`
		// The detail spells it update_at, the list updated_at.
		UpdateAt string  `json:"update_at"`
		Task     *hwTask `json:"task"`
	}{hwDescribe(x, v), mode, "generic", "DRAM", "subnet-emulated", hwTime(v.made), replicas, 1, 256, hwTime(hwChanged(v)), hwTaskOf(x, v)}, nil
}

func hwChanged(v view) time.Time {
	switch {
	case v.lock != nil:
		return v.lock.accepted
	case v.last != nil:
		return v.last.ends
	}
	return v.made
}

type hwListed struct {
	hwInstance
	UpdatedAt string `json:"updated_at"`
}

func hwListInstances(x *exchange, _ hwInput) (any, *refusal) {
	q := x.r.URL.Query()
	offset, limit, r := hwPage(x, 10)
	if r != nil {
		return nil, r
	}
	status, name, equal := q.Get("status"), q.Get("name"), q.Get("name_equal")
	kept := keep(hwCandidates(x), status != "" || name != "", func(found *instance) bool {
		return (status == "" || hwStatus(found.look(x.at)) == status) && hwNamed(hwName(found.id), name, equal)
	})
	rows := []hwListed{}
	for _, found := range cut(kept, offset, limit) {
		v := found.look(x.at)
		rows = append(rows, hwListed{hwDescribe(x, v), hwTime(hwChanged(v))})
	}
	return struct {
		Count     int        `json:"instance_num"`
		Instances []hwListed `json:"instances"`
	}{len(kept), rows}, nil
}

func hwCandidates(x *exchange) []*instance {
	id := x.r.URL.Query().Get("instance_id")
	if id == "" {
		return x.s.store.list(x.vendor, x.region)
	}
	if found := x.instance(id); found != nil {
		return []*instance{found}
	}
	return nil
}

func hwNamed(name, want, equal string) bool {
	if equal == "true" && want != "" {
		return name == want
	}
	return strings.Contains(name, want)
}
