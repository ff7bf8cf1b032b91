package broker

import (
	"testing"
	"time"
)

// A pull request that died with its server is made again as soon as the cluster
// says that the consumer has another leader, not when its time is over.
func TestNewLeaderIsAskedAtOnce(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	q := testLane(t, c, time.Minute)
	fetchNone(t, q) // leaves a request open
	q.mu.Lock()
	before := q.request
	q.mu.Unlock()
	waiting := make(chan []Message)
	go func() {
		got, _ := q.Fetch(testContext(t), 1, patience)
		waiting <- got
	}()
	if err := c.nc.Publish(electedPrefix+c.names.commands+"."+q.durable, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a new request", func() bool {
		q.mu.Lock()
		defer q.mu.Unlock()
		return q.request >= before+2 && q.owed > 0
	})
	send(t, c, 1)
	if got := <-waiting; len(got) != 1 {
		t.Errorf("got %v", payloads(got))
	}
}
