{{- define "weft.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "weft.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "weft.labels" -}}
{{ include "weft.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* The names of the ports that clients use: of the node's roles, twice with a certificate. */}}
{{- define "weft.clientPorts" -}}
{{- $ports := list -}}
{{- range $role, $port := dict "gateway" "gateway" "control" "admin" "broker" "kafka" -}}
{{- if has $role $.Values.roles -}}
{{- $ports = append $ports $port -}}
{{- if $.Values.tls.secretName -}}
{{- $ports = append $ports (printf "%s-tls" $port) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- join " " $ports -}}
{{- end -}}

{{/* Settings of the node: those of the chart, then those of the user over them. */}}
{{- define "weft.settings" -}}
{{- $own := dict
      "data" (dict "folder" "/var/lib/weft/data")
      "listen" (dict "address" "::")
      "kafka" (dict "advertisedHost" (default (printf "%s.%s.svc" (include "weft.name" .) .Release.Namespace) .Values.kafka.advertisedHost)) -}}
{{- if lt (len .Values.roles) 4 -}}
{{- $_ := set $own "roles" .Values.roles -}}
{{- end -}}
{{- if .Values.estate -}}
{{- $_ := set $own "estate" (dict "folder" "/etc/weft/estate") -}}
{{- end -}}
{{- if .Values.tls.secretName -}}
{{- $_ := set $own "tls" (dict "certificateFile" "/etc/weft/tls/tls.crt" "keyFile" "/etc/weft/tls/tls.key") -}}
{{- end -}}
{{- mergeOverwrite $own (deepCopy .Values.config) | toYaml -}}
{{- end -}}
