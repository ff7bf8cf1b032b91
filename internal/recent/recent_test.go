package recent

import (
	"fmt"
	"testing"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	const limit = 10
	k := Keys{Limit: limit}
	if k.Add("a") || !k.Add("a") {
		t.Error("a key is not remembered")
	}
	for i := range 5 * limit {
		k.Add(fmt.Sprint(i))
		if len(k.young)+len(k.old) > 2*limit {
			t.Fatalf("%d keys are kept", len(k.young)+len(k.old))
		}
	}
	for i := range limit {
		if !k.Add(fmt.Sprint(5*limit - 1 - i)) {
			t.Errorf("the key before the latest %d is forgotten", i)
		}
	}
	if k.Add("a") {
		t.Error("an old key is not forgotten")
	}
}
