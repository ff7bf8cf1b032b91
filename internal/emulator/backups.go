package emulator

import (
	"fmt"
	"time"
)

// backup is a row of a vendor's list of backups.
type backup struct {
	id, name, remark string
	manual, expired  bool
	phase            phase
	begins, ends     time.Time
}

// standing are the ids of the two backups that every instance has.
var standing = map[Vendor][2]string{
	Volcengine: {"b-0001", "b-expired-0001"},
	Huawei:     {"b0000000-0000-4000-8000-000000000001", uuidDeadBackup},
	Tencent:    {"678362566696298532848117", "expired-0001"},
	TencentCRS: {"e824aecc-ef5e-11e6-a2c7-525400082493", "expired-0001"},
}

// backupID writes the id of a manual backup as the vendor does.
func backupID(v Vendor, id int64) string {
	switch v {
	case Volcengine:
		return fmt.Sprintf("b-%08x", id)
	case Tencent:
		return fmt.Sprintf("10000000-%d-%d", id, firstTask)
	}
	return uuidOf(0xb1, id)
}

// uuidOf makes the UUID of a numbered thing; kind keeps backups and restores
// apart.
func uuidOf(kind byte, id int64) string {
	return fmt.Sprintf("%02x000000-0000-4000-8000-%012x", kind, id)
}

// backups lists the instance's backups as the vendor sees them, newest first.
func (in *instance) backups(v Vendor, now time.Time) []backup {
	var out []backup
	for _, w := range in.done(now) {
		if w.op != Backup {
			continue
		}
		b := backup{
			id: backupID(v, w.id), name: w.name, remark: w.remark, manual: true,
			phase: w.phase(now), begins: w.accepted, ends: w.ends,
		}
		if b.name == "" {
			b.name = b.id
		}
		out = append(out, b)
	}
	ids := standing[v]
	for i, id := range ids {
		begins := in.created.Add(-time.Duration(i) * 30 * 24 * time.Hour)
		out = append(out, backup{
			id: id, name: id, expired: i == 1, phase: succeeded, begins: begins, ends: begins.Add(time.Minute),
		})
	}
	return out
}
