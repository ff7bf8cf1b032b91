{{/*
The configuration as Sluice reads it: `config` as it was given, and what the chart
knows better, which is where things listen and where files are mounted.
*/}}
{{- define "sluice.config" -}}
{{- $config := deepCopy .Values.config }}
{{- $_ := set $config "nats" (mergeOverwrite (dict) (default (dict) $config.nats) (include "sluice.config.nats" . | fromYaml)) }}
{{- $_ := set $config "http" (dict "listen" (printf "%s:%d" .Values.listenAddress (int .Values.ports.http))) }}
{{- $secrets := default (dict) $config.secrets }}
{{- if .Values.secrets.xkeySeed.existingSecret }}
{{- $_ := set $secrets "xkeySeedFile" (printf "/etc/sluice/xkey/%s" .Values.secrets.xkeySeed.key) }}
{{- end }}
{{- if $secrets }}{{ $_ := set $config "secrets" $secrets }}{{ end }}
{{- if .Values.intake.enabled }}
{{- $_ := set $config "intake" (mergeOverwrite (dict) (default (dict) $config.intake) (include "sluice.config.intake" . | fromYaml)) }}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{- define "sluice.config.nats" -}}
url: {{ include "sluice.nats.url" . | quote }}
{{- with .Values.nats.auth }}
{{- if .credentialsKey }}
credentialsFile: /etc/sluice/nats-auth/{{ .credentialsKey }}
{{- else if .nkeySeedKey }}
nkeySeedFile: /etc/sluice/nats-auth/{{ .nkeySeedKey }}
{{- else if .userKey }}
user: "${file:/etc/sluice/nats-auth/{{ .userKey }}}"
password: "${file:/etc/sluice/nats-auth/{{ .passwordKey }}}"
{{- else if .tokenKey }}
token: "${file:/etc/sluice/nats-auth/{{ .tokenKey }}}"
{{- end }}
{{- end }}
{{- with .Values.nats.tls }}
{{- if .existingSecret }}
tls:
  {{- if .caKey }}
  ca: /etc/sluice/nats-tls/{{ .caKey }}
  {{- end }}
  {{- if .certKey }}
  cert: /etc/sluice/nats-tls/{{ .certKey }}
  key: /etc/sluice/nats-tls/{{ .keyKey }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "sluice.config.intake" -}}
listen: {{ printf "%s:%d" .Values.listenAddress (int .Values.ports.intake) | quote }}
{{- with .Values.intake.tls }}
{{- if .existingSecret }}
tls:
  cert: /etc/sluice/intake-tls/{{ .certKey }}
  key: /etc/sluice/intake-tls/{{ .keyKey }}
  {{- if .clientCAKey }}
  clientCA: /etc/sluice/intake-tls/{{ .clientCAKey }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}
