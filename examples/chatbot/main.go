// Chatbot carries out chat lines such as "/redis restart prod cn-beijing redis-abc",
// read from standard input, and answers each with what became of it.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"
)

// vendors says whose the accounts are; a bot of yours knows that.
var vendors = map[string]string{"prod": "volcengine", "demo-volc": "volcengine", "hw": "huawei", "demo-hw": "huawei"}

func main() {
	nc, err := nats.Connect(cmp.Or(os.Getenv("NATS_URL"), nats.DefaultURL))
	if err != nil {
		log.Fatalf("connect to the broker: %v; set NATS_URL", err)
	}
	defer nc.Close()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) != 5 || words[0] != "/redis" || vendors[words[2]] == "" {
			fmt.Println("say: /redis OPERATION ACCOUNT REGION INSTANCE")
			continue
		}
		fmt.Println(ask(nc, words[1], words[2], words[3], words[4]))
	}
}

// ask sends one command and waits for its final result. It listens before it sends,
// so that no answer can be missed.
func ask(nc *nats.Conn, operation, account, region, instance string) string {
	id, vendor := nuid.Next(), vendors[account]
	results, err := nc.SubscribeSync("sluice.results." + vendor + "." + account + ".>")
	if err != nil {
		return "cannot listen for the answer: " + err.Error()
	}
	defer func() { _ = results.Unsubscribe() }()
	event, _ := json.Marshal(map[string]any{
		"specversion": "1.0", "id": id, "source": "/examples/chatbot", "type": "dev.sluice.command." + operation + ".v1", "time": time.Now().UTC(),
		"data": map[string]string{"vendor": vendor, "account": account, "region": region, "instanceId": instance, "priority": "urgent"},
	})
	// A request, because the stream acknowledges what it has stored.
	if ack, err := nc.Request("sluice.intake", event, 5*time.Second); err != nil || strings.Contains(string(ack.Data), `"error"`) {
		return fmt.Sprintf("%s: not stored (%v)", instance, err)
	}
	for {
		m, err := results.NextMsg(2 * time.Hour)
		if err != nil {
			return fmt.Sprintf("%s: no answer (%v)", instance, err)
		}
		var result struct {
			Data struct {
				Status string
				Final  bool
				Reason struct{ Message string }
			}
		}
		if m.Header.Get("Sluice-Causation-Id") == id && json.Unmarshal(m.Data, &result) == nil && result.Data.Final {
			return strings.TrimSuffix(fmt.Sprintf("%s: %s, %s", instance, result.Data.Status, result.Data.Reason.Message), ", ")
		}
	}
}
