package emulator

// Vendor names one of the emulated clouds.
type Vendor string

// The emulated clouds.
const (
	Volcengine Vendor = "volcengine"
	Huawei     Vendor = "huawei"
	Tencent    Vendor = "tencent"
	TencentCRS Vendor = "tencent-crs"
)

// vendors is every cloud, in the order of documents.
var vendors = []Vendor{Volcengine, Huawei, Tencent, TencentCRS}

// family is the store that a vendor's instances live in: Tencent's two
// generations of API look at the same instances.
func (v Vendor) family() Vendor {
	if v == TencentCRS {
		return Tencent
	}
	return v
}

func (v Vendor) known() bool {
	for _, k := range vendors {
		if v == k {
			return true
		}
	}
	return false
}

// Operation names what a mutation does to an instance.
type Operation string

// The operations that change an instance. Backup is not one of the consumer's,
// but occupies an instance like the others.
const (
	Restart     Operation = "restart"
	SoftRestart Operation = "soft_restart"
	Flush       Operation = "flush"
	Restore     Operation = "restore"
	Backup      Operation = "backup"
)
