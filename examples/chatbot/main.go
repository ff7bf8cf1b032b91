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
	"path"
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
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) != 5 || words[0] != "/redis" || vendors[words[2]] == "" {
			fmt.Println("say: /redis OPERATION ACCOUNT REGION INSTANCE")
			continue
		}
		fmt.Println(words[4]+":", ask(nc, words[1], words[2], words[3], words[4]))
	}
}

// ask sends one command and waits for its final result. It listens before it sends,
// so that no answer can be missed.
func ask(nc *nats.Conn, operation, account, region, instance string) string {
	id := nuid.Next()
	results, err := nc.SubscribeSync("sluice.results." + vendors[account] + "." + account + ".>")
	if err != nil {
		return err.Error()
	}
	defer func() { _ = results.Unsubscribe() }()
	event, _ := json.Marshal(map[string]any{
		"specversion": "1.0", "id": id, "source": "/examples/chatbot", "type": "dev.sluice.command." + operation + ".v1",
		"data": map[string]string{"vendor": vendors[account], "account": account, "region": region, "instanceId": instance, "priority": "urgent"},
	})
	// A request, because the stream acknowledges what it has stored.
	if ack, err := nc.Request("sluice.intake", event, 5*time.Second); err != nil || strings.Contains(string(ack.Data), `"error"`) {
		return fmt.Sprint("not stored: ", err)
	}
	for {
		m, err := results.NextMsg(2 * time.Hour)
		if err != nil {
			return "no answer: " + err.Error()
		}
		// The status is the last part of the subject; accepted is not the end.
		if status := path.Ext(m.Subject)[1:]; m.Header.Get("Sluice-Causation-Id") == id && status != "accepted" {
			var result struct {
				Data struct{ Reason struct{ Message string } }
			}
			_ = json.Unmarshal(m.Data, &result) // one that succeeded has no reason
			return strings.TrimSpace(status + " " + result.Data.Reason.Message)
		}
	}
}
