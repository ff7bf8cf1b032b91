package rival

import (
	"encoding/json"
	"fmt"
	"time"
)

// Command is what is read of a command event in structured mode.
type Command struct {
	ID     string `json:"id"`
	Source string `json:"source"`
	Type   string `json:"type"`
	Data   struct {
		ClientToken string `json:"clientToken"`
		Vendor      string `json:"vendor"`
		Account     string `json:"account"`
		Region      string `json:"region"`
		InstanceID  string `json:"instanceId"`
	} `json:"data"`

	raw []byte
}

// Decode reads a command.
func Decode(data []byte) (Command, error) {
	c := Command{raw: data}
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("decode the command: %w", err)
	}
	if c.ID == "" || c.Data.ClientToken == "" || c.Data.InstanceID == "" {
		return c, fmt.Errorf("decode the command: id, clientToken or instanceId is missing")
	}
	return c, nil
}

// States of a record.
const (
	claimed = "claimed"
	sending = "sending"
	final   = "final"
)

// Record is what is kept of a token.
type Record struct {
	Token    string          `json:"token"`
	State    string          `json:"state"`
	Command  json.RawMessage `json:"command"`
	Attempts int             `json:"attempts,omitempty"`
	Started  time.Time       `json:"started,omitzero"`
	Status   string          `json:"status,omitempty"`
	Finished time.Time       `json:"finished,omitzero"`
}

func concluded(c Command, status string) Record {
	return Record{Token: c.Data.ClientToken, State: final, Command: c.raw, Attempts: 1, Status: status, Finished: time.Now()}
}

// Result is the result event, in structured mode.
type Result struct {
	SpecVersion string     `json:"specversion"`
	ID          string     `json:"id"`
	Source      string     `json:"source"`
	Type        string     `json:"type"`
	Subject     string     `json:"subject"`
	Time        time.Time  `json:"time"`
	ContentType string     `json:"datacontenttype"`
	Data        ResultData `json:"data"`
}

// ResultData says what became of a command.
type ResultData struct {
	ClientToken string `json:"clientToken"`
	Vendor      string `json:"vendor"`
	Account     string `json:"account"`
	Region      string `json:"region"`
	InstanceID  string `json:"instanceId"`
	Status      string `json:"status"`
	Final       bool   `json:"final"`
	Duplicate   bool   `json:"duplicate"`
	Command     string `json:"command"`
}
