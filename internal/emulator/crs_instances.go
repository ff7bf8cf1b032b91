package emulator

import (
	"net/url"
	"strings"
)

type crsInstance struct {
	RedisName    string  `json:"redisName"`
	RedisID      string  `json:"redisId"`
	Appid        int64   `json:"appid"`
	ProjectID    int     `json:"projectId"`
	RegionID     int     `json:"regionId"`
	ZoneID       int     `json:"zoneId"`
	VpcID        int     `json:"vpcId"`
	UnVpcID      string  `json:"unVpcId"`
	SubnetID     int     `json:"subnetId"`
	UnSubnetID   string  `json:"unSubnetId"`
	Status       int     `json:"status"`
	StatusDesc   string  `json:"statusDesc"`
	WanIP        string  `json:"wanIp"`
	Port         int     `json:"port"`
	CreateTime   string  `json:"createtime"`
	Size         float64 `json:"size"`
	SizeUsed     float64 `json:"sizeUsed"`
	DeadlineTime string  `json:"deadlineTime"`
}

// crsRegionIDs number the regions.
var crsRegionIDs = map[string]int{
	"ap-guangzhou": 1, "ap-shanghai": 4, "ap-hongkong": 5, "na-toronto": 6, "ap-shanghai-fsi": 7, "ap-beijing": 8,
	"ap-singapore": 9, "ap-shenzhen-fsi": 11, "na-siliconvalley": 15,
}

func crsInstances(x *exchange, params url.Values) (any, *refusal) {
	from, n, r := crsPage(params)
	if r != nil {
		return nil, r
	}
	rows := []crsInstance{}
	for _, found := range crsNamed(x, params) {
		if strings.Contains(found.id, params.Get("redisName")) {
			rows = append(rows, crsDescribe(x, found.look(x.at)))
		}
	}
	return crsListed{len(rows), map[string]any{"redisSet": cut(rows, from, n)}}, nil
}

func crsDescribe(x *exchange, v view) crsInstance {
	of := tcDescribe(x, v)
	return crsInstance{
		RedisName: of.InstanceName, RedisID: of.InstanceId, Appid: of.Appid, RegionID: crsRegionIDs[longRegion(x.region)],
		ZoneID: int(of.ZoneId), Status: of.Status, StatusDesc: of.InstanceTitle, WanIP: of.WanIp, Port: int(of.Port),
		CreateTime: of.Createtime, Size: of.Size, SizeUsed: of.SizeUsed, DeadlineTime: of.DeadlineTime,
	}
}

type crsBackupRow struct {
	StartTime  string `json:"startTime"`
	BackupID   string `json:"backupId"`
	BackupType string `json:"backupType"`
	Status     int    `json:"status"`
	Remark     string `json:"remark"`
	Locked     int    `json:"locked"`
}

func crsBackups(x *exchange, params url.Values) (any, *refusal) {
	found, r := crsTarget(x, params)
	if r != nil {
		return nil, r
	}
	from, n, r := crsPage(params)
	if r != nil {
		return nil, r
	}
	within, r := crsSpan(params)
	if r != nil {
		return nil, r
	}
	rows := []crsBackupRow{}
	for _, b := range found.backups(TencentCRS, x.at) {
		if !within(b.begins) {
			continue
		}
		row := crsBackupRow{tcTime(b.begins), b.id, "systemBackupInstance", tcBackupStatus(b), b.remark, 0}
		if b.manual {
			row.BackupType = "manualBackupInstance"
		}
		if row.Status == 1 {
			row.Locked = 1
		}
		rows = append(rows, row)
	}
	return crsListed{len(rows), map[string]any{"redisBackupSet": cut(rows, from, n)}}, nil
}
