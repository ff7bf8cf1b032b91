package check

import (
	"errors"
	"fmt"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// objects is everything that a release makes, by kind and name.
type objects struct {
	deployments  map[string]*apps.Deployment
	statefulSets map[string]*apps.StatefulSet
	services     map[string]*core.Service
	configMaps   map[string]*core.ConfigMap
	secrets      map[string]*core.Secret
	accounts     map[string]*core.ServiceAccount
	budgets      map[string]*policy.PodDisruptionBudget
	policies     map[string]*networking.NetworkPolicy
	ingresses    map[string]*networking.Ingress
	podMonitors  map[string]*monitoring.PodMonitor
	monitors     map[string]*monitoring.ServiceMonitor
	rules        map[string]*monitoring.PrometheusRule
	streams      map[string]*natsStream
	buckets      map[string]*natsKeyValue
	count        int
}

// decodeAll reads every document into the type of its kind. A kind that is not known
// here, an unknown field and a key given twice are errors.
func decodeAll(files map[string]string) (*objects, error) {
	o := &objects{}
	var found []error
	for _, doc := range manifests(files) {
		if err := o.add(doc); err != nil {
			found = append(found, fmt.Errorf("%w in:\n%s", err, doc))
		}
	}
	return o, errors.Join(found...)
}

func (o *objects) add(doc string) error {
	data, err := yaml.YAMLToJSONStrict([]byte(doc))
	if err != nil {
		return err
	}
	if string(data) == "null" { // nothing but comments
		return nil
	}
	var head meta.PartialObjectMetadata
	if err := yaml.Unmarshal(data, &head); err != nil {
		return err
	}
	o.count++
	switch kind := head.APIVersion + "/" + head.Kind; kind {
	case "apps/v1/Deployment":
		return decode(data, head.Name, &o.deployments)
	case "apps/v1/StatefulSet":
		return decode(data, head.Name, &o.statefulSets)
	case "v1/Service":
		return decode(data, head.Name, &o.services)
	case "v1/ConfigMap":
		return decode(data, head.Name, &o.configMaps)
	case "v1/Secret":
		return decode(data, head.Name, &o.secrets)
	case "v1/ServiceAccount":
		return decode(data, head.Name, &o.accounts)
	case "policy/v1/PodDisruptionBudget":
		return decode(data, head.Name, &o.budgets)
	case "networking.k8s.io/v1/NetworkPolicy":
		return decode(data, head.Name, &o.policies)
	case "networking.k8s.io/v1/Ingress":
		return decode(data, head.Name, &o.ingresses)
	case "monitoring.coreos.com/v1/PodMonitor":
		return decode(data, head.Name, &o.podMonitors)
	case "monitoring.coreos.com/v1/ServiceMonitor":
		return decode(data, head.Name, &o.monitors)
	case "monitoring.coreos.com/v1/PrometheusRule":
		return decode(data, head.Name, &o.rules)
	case "jetstream.nats.io/v1beta2/Stream":
		return decode(data, head.Name, &o.streams)
	case "jetstream.nats.io/v1beta2/KeyValue":
		return decode(data, head.Name, &o.buckets)
	default:
		return fmt.Errorf("no type for %s", kind)
	}
}

// decode is strict as the API server is with strict field validation: field names are
// matched in their case.
func decode[T any](data []byte, name string, into *map[string]*T) error {
	value := new(T)
	strict, err := json.UnmarshalStrict(data, value)
	if err := errors.Join(append(strict, err)...); err != nil {
		return err
	}
	if *into == nil {
		*into = map[string]*T{}
	}
	if _, twice := (*into)[name]; twice {
		return fmt.Errorf("%s is there twice", name)
	}
	(*into)[name] = value
	return nil
}

// pods are the pod templates of all workloads.
func (o *objects) pods() map[string]*core.PodTemplateSpec {
	pods := map[string]*core.PodTemplateSpec{}
	for name, d := range o.deployments {
		pods[name] = &d.Spec.Template
	}
	for name, s := range o.statefulSets {
		pods[name] = &s.Spec.Template
	}
	return pods
}

// consumer is the one Deployment of the consumer.
func (o *objects) consumer() *apps.Deployment {
	for _, d := range o.deployments {
		return d
	}
	return &apps.Deployment{}
}

// settings is the text of the configuration that the consumer mounts.
func (o *objects) settings() string {
	for _, v := range o.consumer().Spec.Template.Spec.Volumes {
		if v.Name == "config" && o.configMaps[v.ConfigMap.Name] != nil {
			return o.configMaps[v.ConfigMap.Name].Data["sluice.yaml"]
		}
	}
	return ""
}
