package rig

import (
	"fmt"
	"slices"

	"github.com/seed-7b870224/sluice/internal/emulator"
	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/huawei"
	"github.com/seed-7b870224/sluice/internal/vendors/tencent"
	"github.com/seed-7b870224/sluice/internal/vendors/tencentcrs"
	"github.com/seed-7b870224/sluice/internal/vendors/volcengine"
)

// Offer is a vendor as the scenarios use it.
type Offer struct {
	Facts      vendors.Facts
	Region     string
	Operations []string
	// Backup is one that every emulated instance has.
	Backup string
	// Password: the vendor's operations need the instance's password.
	Password bool
}

// Offers lists the four vendors and what they offer.
func Offers() []Offer {
	return []Offer{
		{volcengine.Facts(), "cn-beijing", []string{events.Restart, events.Flush, events.Restore}, "b-0001", false},
		{huawei.Facts(), "cn-north-4", []string{events.Restart, events.SoftRestart, events.Flush, events.Restore}, "b0000000-0000-4000-8000-000000000001", false},
		{tencent.Facts(), "ap-guangzhou", []string{events.Flush, events.Restore}, "678362566696298532848117", false},
		{tencentcrs.Facts(), "gz", []string{events.Flush, events.Restore}, "e824aecc-ef5e-11e6-a2c7-525400082493", true},
	}
}

// OfferOf finds a vendor by name.
func OfferOf(vendor string) Offer {
	all := Offers()
	i := slices.IndexFunc(all, func(o Offer) bool { return o.Facts.Name == vendor })
	if i < 0 {
		panic("rig: no vendor " + vendor)
	}
	return all[i]
}

// Action is the vendor's name of the call that an operation makes.
func (o Offer) Action(operation string) string { return o.Facts.Actions[vendors.Operation(operation)] }

// Instance is a well-formed id for the n-th instance of a scenario. Ids of
// different vendors never meet, though Tencent's two APIs share instances.
func (o Offer) Instance(scenario string, n int) string {
	switch emulator.Vendor(o.Facts.Name) {
	case emulator.Huawei:
		return fmt.Sprintf("7e803f66-0000-4000-8%03x-%012x", hash(scenario)&0xfff, n+1)
	case emulator.TencentCRS:
		return fmt.Sprintf("crs-old-%s-%d", scenario, n)
	case emulator.Tencent:
		return fmt.Sprintf("crs-%s-%d", scenario, n)
	}
	return fmt.Sprintf("redis-%s-%d", scenario, n)
}

// Draft is a command for one operation on one instance, its parameters filled
// in. Account is the vendor's name, as Accounts configures it.
func (o Offer) Draft(operation, instance, token string) events.Draft {
	d := events.Draft{
		Operation: operation, Vendor: o.Facts.Name, Account: o.Facts.Name, Region: o.Region, InstanceID: instance,
		Token: token, Source: "/chaos", ID: token,
	}
	if operation == events.Restore {
		d.BackupID = o.Backup
	}
	if o.Password && (operation == events.Restore || operation == events.Flush) {
		d.Password = &events.Password{SecretRef: passwordRef}
	}
	return d
}

func hash(s string) (h uint32) {
	for _, c := range []byte(s) {
		h = h*31 + uint32(c)
	}
	return h
}
