package check

import meta "k8s.io/apimachinery/pkg/apis/meta/v1"

// The fields of NACK's resources that the chart uses, as the custom resource
// definitions of github.com/nats-io/nack have them (deploy/crds.yml at commit
// f6dad096d5d4, version v1beta2). NACK's own module brings a controller along, so its
// types are not imported.

type natsStream struct {
	meta.TypeMeta   `json:",inline"`
	meta.ObjectMeta `json:"metadata"`
	Spec            natsStreamSpec `json:"spec"`
}

type natsStreamSpec struct {
	Name               string        `json:"name"`
	Description        string        `json:"description"`
	Subjects           []string      `json:"subjects"`
	Retention          string        `json:"retention"`
	MaxConsumers       *int          `json:"maxConsumers"`
	MaxMsgs            *int          `json:"maxMsgs"`
	MaxBytes           *int          `json:"maxBytes"`
	MaxMsgSize         *int          `json:"maxMsgSize"`
	MaxAge             meta.Duration `json:"maxAge"`
	Storage            string        `json:"storage"`
	Discard            string        `json:"discard"`
	Replicas           int           `json:"replicas"`
	DuplicateWindow    meta.Duration `json:"duplicateWindow"`
	DenyDelete         bool          `json:"denyDelete"`
	AllowDirect        bool          `json:"allowDirect"`
	AllowRollup        bool          `json:"allowRollup"`
	AllowAtomicPublish bool          `json:"allowAtomicPublish"`
	natsControl        `json:",inline"`
}

type natsKeyValue struct {
	meta.TypeMeta   `json:",inline"`
	meta.ObjectMeta `json:"metadata"`
	Spec            natsKeyValueSpec `json:"spec"`
}

type natsKeyValueSpec struct {
	Bucket       string `json:"bucket"`
	Description  string `json:"description"`
	MaxValueSize int    `json:"maxValueSize"`
	History      int    `json:"history"`
	TTL          string `json:"ttl"`
	MaxBytes     int    `json:"maxBytes"`
	Storage      string `json:"storage"`
	Replicas     int    `json:"replicas"`
	natsControl  `json:",inline"`
}

// natsControl is what all of them have.
type natsControl struct {
	PreventDelete bool     `json:"preventDelete"`
	PreventUpdate bool     `json:"preventUpdate"`
	Account       string   `json:"account"`
	Creds         string   `json:"creds"`
	Nkey          string   `json:"nkey"`
	Servers       []string `json:"servers"`
	TLSFirst      bool     `json:"tlsFirst"`
	JSDomain      string   `json:"jsDomain"`
	TLS           *struct {
		ClientCert string   `json:"clientCert"`
		ClientKey  string   `json:"clientKey"`
		RootCAs    []string `json:"rootCas"`
	} `json:"tls"`
}
