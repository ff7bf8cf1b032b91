// Batch restarts the instances that standard input lists, one a line, at the pace the
// vendor allows, and prints a summary. Started again with the same wave it does nothing
// twice, since the wave and the instance name the work.
package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"path"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

func main() {
	vendor, account := flag.String("vendor", "volcengine", "vendor"), flag.String("account", "prod", "account")
	region, wave := flag.String("region", "cn-beijing", "region"), flag.String("wave", "", "names this batch")
	flag.Parse()
	ctx := context.Background()
	nc, err := nats.Connect(cmp.Or(os.Getenv("NATS_URL"), nats.DefaultURL))
	check(err)
	js, err := jetstream.New(nc)
	check(err)
	lane := fmt.Sprintf("%s.%s.%s.restart", *vendor, *account, *region)
	// Listen first, then send, so that no answer can be missed.
	results, err := js.OrderedConsumer(ctx, "SLUICE_RESULTS", jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{"sluice.results." + lane + ".*"}, DeliverPolicy: jetstream.DeliverNewPolicy})
	check(err)
	answers, err := results.Messages()
	check(err)
	waiting := map[string]string{} // instance by event id
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		id, instance := nuid.Next(), lines.Text()
		event, _ := json.Marshal(map[string]any{
			"specversion": "1.0", "id": id, "source": "/examples/batch", "type": "dev.sluice.command.restart.v1",
			"data": map[string]string{"vendor": *vendor, "account": *account, "region": *region, "instanceId": instance,
				"priority": "bulk", "clientToken": *wave + "/" + instance},
		})
		_, err := js.Publish(ctx, "sluice.commands."+lane+".bulk", event)
		check(err)
		waiting[id] = instance
	}
	count := map[string]int{}
	for len(waiting) > 0 {
		m, err := answers.Next()
		check(err)
		// The status is the last part of the subject; accepted is not the end.
		id, status := m.Headers().Get("Sluice-Causation-Id"), path.Ext(m.Subject())[1:]
		if instance, mine := waiting[id]; mine && status != "accepted" {
			fmt.Println(instance, status)
			count[status]++
			delete(waiting, id)
		}
	}
	fmt.Println("summary:", count)
}

func check(err error) {
	if err != nil {
		log.Fatalf("batch: %v; start it again with the same wave, nothing is done twice", err)
	}
}
