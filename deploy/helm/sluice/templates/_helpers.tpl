{{- define "sluice.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of everything the release makes. 50 characters leave room for suffixes. */}}
{{- define "sluice.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "sluice.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "sluice.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "sluice.commonLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: sluice
{{- end }}

{{/* Which pods are the consumer's. These labels never change: a Deployment's selector cannot. */}}
{{- define "sluice.selector" -}}
app.kubernetes.io/name: {{ include "sluice.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: consumer
{{- end }}

{{- define "sluice.labels" -}}
{{ include "sluice.selector" . }}
{{ include "sluice.commonLabels" . }}
{{- end }}

{{/* The same for the bundled NATS. */}}
{{- define "sluice.nats.selector" -}}
app.kubernetes.io/name: {{ include "sluice.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: nats
{{- end }}

{{- define "sluice.nats.labels" -}}
{{ include "sluice.nats.selector" . }}
{{ include "sluice.commonLabels" . }}
{{- end }}

{{- define "sluice.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "sluice.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "sluice.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}
{{- end }}

{{/* Where NATS is. */}}
{{- define "sluice.nats.url" -}}
{{- if .Values.nats.bundled.enabled -}}
nats://{{ include "sluice.fullname" . }}-nats:4222
{{- else -}}
{{ .Values.nats.url }}
{{- end }}
{{- end }}

{{/* The ports of nats.url, as a JSON list: the NetworkPolicy lets them out. */}}
{{- define "sluice.nats.ports" -}}
{{- $ports := list }}
{{- range splitList "," (include "sluice.nats.url" .) }}
{{- $server := trim . | trimSuffix "/" }}
{{- $port := regexFind ":[0-9]+$" $server | trimPrefix ":" }}
{{- if not $port }}
{{- $port = ternary "80" (ternary "443" "4222" (hasPrefix "wss://" $server)) (hasPrefix "ws://" $server) }}
{{- end }}
{{- $ports = append $ports (int $port) }}
{{- end }}
{{- $ports | uniq | toJson }}
{{- end }}

{{/* Mistakes that the schema cannot express. */}}
{{- define "sluice.validate" -}}
{{- $n := .Values.nats }}
{{- if and (not $n.url) (not $n.bundled.enabled) }}
{{- fail "\nSay where NATS is: --set nats.url=nats://nats.nats:4222.\nTo try Sluice out without one: --set nats.bundled.enabled=true (not for production)." }}
{{- end }}
{{- if and $n.url $n.bundled.enabled }}
{{- fail "\nnats.url and nats.bundled.enabled exclude each other: remove one." }}
{{- end }}
{{- $ways := list }}
{{- range $key := list "credentialsKey" "nkeySeedKey" "userKey" "tokenKey" }}
{{- if index $n.auth $key }}{{ $ways = append $ways $key }}{{ end }}
{{- end }}
{{- if and $n.auth.existingSecret (ne (len $ways) 1) }}
{{- fail (printf "\nnats.auth.existingSecret needs exactly one of credentialsKey, nkeySeedKey, userKey (with passwordKey) and tokenKey; it has: %s." (default "none" (join ", " $ways))) }}
{{- end }}
{{- if and (not $n.auth.existingSecret) $ways }}
{{- fail (printf "\nnats.auth.%s needs nats.auth.existingSecret, the Secret that has the key." (first $ways)) }}
{{- end }}
{{- if ne (empty $n.auth.userKey) (empty $n.auth.passwordKey) }}
{{- fail "\nnats.auth.userKey and nats.auth.passwordKey go together." }}
{{- end }}
{{- if ne (empty $n.tls.certKey) (empty $n.tls.keyKey) }}
{{- fail "\nnats.tls.certKey and nats.tls.keyKey go together." }}
{{- end }}
{{- if and .Values.config.intake (not .Values.intake.enabled) }}
{{- fail "\nconfig.intake has publishers or routes, but intake.enabled is false: switch it on, or remove them." }}
{{- end }}
{{- if and .Values.intake.ingress.enabled (not .Values.intake.enabled) }}
{{- fail "\nintake.ingress.enabled needs intake.enabled." }}
{{- end }}
{{- if lt (int .Values.terminationGracePeriodSeconds) (add 20 (int .Values.preStopSeconds)) }}
{{- fail "\nterminationGracePeriodSeconds has to be at least 20 plus preStopSeconds: Sluice drains for up to 15 s, and Kubernetes counts the waiting before it in." }}
{{- end }}
{{- end }}
