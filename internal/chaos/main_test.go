package chaos

import (
	"os"
	"testing"

	"github.com/seed-7b870224/sluice/internal/chaos/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }
