{{- define "brinkwatch.name" -}}
{{- if contains "brinkwatch" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-brinkwatch" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "brinkwatch.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* Labels that pods of this release are selected by. */}}
{{- define "brinkwatch.selector" -}}
app.kubernetes.io/name: brinkwatch
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "brinkwatch.labels" -}}
{{ include "brinkwatch.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: brinkwatch
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* Topics and access rules, with this release's prefix. */}}
{{- define "brinkwatch.kafka" -}}
{{ .Files.Get "files/kafka.yaml" | replace "PREFIX" .Values.topicPrefix }}
{{- end }}

{{/* Topics may have names that Kubernetes has not. */}}
{{- define "brinkwatch.topicResource" -}}
{{- . | replace "_" "-" }}
{{- end }}

{{- define "brinkwatch.bootstrap" -}}
{{- if .Values.kafka.strimzi.enabled -}}
{{ include "brinkwatch.name" . }}-kafka-bootstrap:9093
{{- else -}}
{{ required "kafka.external.bootstrapServers is needed where kafka.strimzi.enabled is false" .Values.kafka.external.bootstrapServers }}
{{- end }}
{{- end }}

{{- define "brinkwatch.protocol" -}}
{{ if .Values.kafka.strimzi.enabled }}SASL_SSL{{ else }}{{ .Values.kafka.external.securityProtocol }}{{ end }}
{{- end }}

{{/* The Secret of a role's password, and of the authority that signed the brokers' certificates; empty: none. */}}
{{- define "brinkwatch.passwordSecret" -}}
{{- $root := .root -}}
{{- if $root.Values.kafka.strimzi.enabled -}}
{{ include "brinkwatch.name" $root }}-{{ .role }}
{{- else if hasPrefix "SASL" (include "brinkwatch.protocol" $root) -}}
{{- $user := get $root.Values.kafka.external.users .role | required (printf "kafka.external.users.%s is needed with %s" .role $root.Values.kafka.external.securityProtocol) -}}
{{ $user.secret }}
{{- end }}
{{- end }}

{{- define "brinkwatch.username" -}}
{{- if .root.Values.kafka.strimzi.enabled -}}
{{ include "brinkwatch.name" .root }}-{{ .role }}
{{- else -}}
{{ (get .root.Values.kafka.external.users .role).username }}
{{- end }}
{{- end }}

{{- define "brinkwatch.caSecret" -}}
{{- if .Values.kafka.strimzi.enabled -}}
{{ include "brinkwatch.name" . }}-cluster-ca-cert
{{- else -}}
{{ .Values.kafka.external.caSecret }}
{{- end }}
{{- end }}

{{/* How metrics and probes are asked for. */}}
{{- define "brinkwatch.scheme" -}}
{{ if .Values.metrics.tls.secret }}https{{ else }}http{{ end }}
{{- end }}

{{/* A change of the configuration restarts what reads it once; alerts.yaml is read again by itself. */}}
{{- define "brinkwatch.configSum" -}}
{{ omit .Values.config "alerts.yaml" | toJson | sha256sum }}
{{- end }}

{{/* Everything that a process is told, in the environment; passwords are files. role, and settings of its own. */}}
{{- define "brinkwatch.environment" -}}
{{- $root := .root -}}
{{- $told := dict "BOOTSTRAP_SERVERS" (include "brinkwatch.bootstrap" $root) "TOPIC_PREFIX" $root.Values.topicPrefix "METRICS_HOST" $root.Values.metrics.host "SECURITY_PROTOCOL" (include "brinkwatch.protocol" $root) -}}
{{- if and $root.Values.config (not .plain) -}}
{{- $_ := set $told "CONFIG_DIR" "/etc/brinkwatch" -}}
{{- end -}}
{{- if include "brinkwatch.passwordSecret" . -}}
{{- $_ := set $told "SASL_MECHANISM" ($root.Values.kafka.strimzi.enabled | ternary "SCRAM-SHA-512" $root.Values.kafka.external.saslMechanism) -}}
{{- $_ := set $told "SASL_USERNAME" (include "brinkwatch.username" .) -}}
{{- $_ := set $told "SASL_PASSWORD_FILE" "/run/secrets/kafka/password" -}}
{{- end -}}
{{- if include "brinkwatch.caSecret" $root -}}
{{- $_ := set $told "SSL_CAFILE" "/run/secrets/kafka-ca/ca.crt" -}}
{{- end -}}
{{- if and .port $root.Values.metrics.tls.secret -}}
{{- $_ := set $told "METRICS_CERTFILE" "/run/secrets/metrics/tls.crt" -}}
{{- $_ := set $told "METRICS_KEYFILE" "/run/secrets/metrics/tls.key" -}}
{{- end -}}
{{- range $key, $value := mergeOverwrite (dict) $told $root.Values.settings (.settings | default dict) }}
- name: BRINKWATCH_{{ $key }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end }}

{{/* What every process mounts: root, role; port: where it serves metrics, if it does; plain: the image's configuration, whatever the values say. */}}
{{- define "brinkwatch.mounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if include "brinkwatch.passwordSecret" . }}
- {name: kafka-{{ .role }}, mountPath: /run/secrets/kafka, readOnly: true}
{{- end }}
{{- if include "brinkwatch.caSecret" .root }}
- {name: kafka-ca, mountPath: /run/secrets/kafka-ca, readOnly: true}
{{- end }}
{{- if and .port .root.Values.metrics.tls.secret }}
- {name: metrics, mountPath: /run/secrets/metrics, readOnly: true}
{{- end }}
{{- if and .root.Values.config (not .plain) }}
- {name: config, mountPath: /etc/brinkwatch, readOnly: true}
- {name: overrides, mountPath: /run/brinkwatch/overrides, readOnly: true}
{{- end }}
{{- end }}

{{/* The volumes of those: root, roles (of one pod), served (whether it serves metrics), plain. */}}
{{- define "brinkwatch.volumes" -}}
{{- $root := .root -}}
- name: tmp
  emptyDir: {sizeLimit: 256Mi}
{{- range $role := .roles }}
{{- with include "brinkwatch.passwordSecret" (dict "root" $root "role" $role) }}
- name: kafka-{{ $role }}
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items: [{key: password, path: password}]
{{- end }}
{{- end }}
{{- with include "brinkwatch.caSecret" $root }}
- name: kafka-ca
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items: [{key: ca.crt, path: ca.crt}]
{{- end }}
{{- if .served }}
{{- with $root.Values.metrics.tls.secret }}
- name: metrics
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items: [{key: tls.crt, path: tls.crt}, {key: tls.key, path: tls.key}]
{{- end }}
{{- end }}
{{- if and $root.Values.config (not .plain) }}
- name: config
  emptyDir: {sizeLimit: 16Mi}
- name: overrides
  configMap:
    name: {{ include "brinkwatch.name" $root }}-config
    items:
      {{- range $file, $_ := $root.Values.config }}
      - {key: {{ $file | replace "/" "__" | quote }}, path: {{ $file | quote }}}
      {{- end }}
{{- end }}
{{- end }}

{{- define "brinkwatch.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "brinkwatch.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* The image's configuration folder, with links to the files that are other: so a changed ConfigMap is seen at once. */}}
{{- define "brinkwatch.configure" -}}
- name: configure
  image: {{ include "brinkwatch.image" .root }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  command:
    - sh
    - -euc
    - |
      cp -r /opt/brinkwatch/config/. /config/
      cd /run/brinkwatch/overrides
      find -L . -name '.?*' -prune -o -type f -print | while read -r file; do
        mkdir -p "/config/$(dirname "$file")"
        ln -sfn "/run/brinkwatch/overrides/$file" "/config/$file"
      done
  resources:
    requests: {cpu: 10m, memory: 32Mi, ephemeral-storage: 16Mi}
    limits: {memory: 64Mi, ephemeral-storage: 64Mi}
  securityContext: {{- include "brinkwatch.securityContext" .root | nindent 4 }}
  volumeMounts:
    - {name: config, mountPath: /config}
    - {name: overrides, mountPath: /run/brinkwatch/overrides, readOnly: true}
{{- end }}

{{/* What is said of every pod, beside its containers. */}}
{{- define "brinkwatch.placement" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext: {{- include "brinkwatch.podSecurityContext" .root | nindent 2 }}
{{- end }}

{{/* The pod template of a role: root, role, values, port, grace, settings, ports (beside that of metrics), data (volume of /data, else an empty one). */}}
{{- define "brinkwatch.pod" -}}
{{- $root := .root -}}
metadata:
  annotations:
    checksum/config: {{ include "brinkwatch.configSum" $root }}
    {{- with $root.Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  labels:
    {{- include "brinkwatch.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .role }}
    {{- with $root.Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- include "brinkwatch.placement" . | nindent 2 }}
  serviceAccountName: {{ include "brinkwatch.name" $root }}
  terminationGracePeriodSeconds: {{ .grace }}
  affinity:
    podAntiAffinity:
      preferredDuringSchedulingIgnoredDuringExecution:
        - weight: 100
          podAffinityTerm:
            topologyKey: kubernetes.io/hostname
            labelSelector:
              matchLabels:
                {{- include "brinkwatch.selector" $root | nindent 16 }}
                app.kubernetes.io/component: {{ .role }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: topology.kubernetes.io/zone
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "brinkwatch.selector" $root | nindent 10 }}
          app.kubernetes.io/component: {{ .role }}
  {{- if $root.Values.config }}
  initContainers:
    {{- include "brinkwatch.configure" . | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ .role }}
      image: {{ include "brinkwatch.image" $root }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args: [{{ .role }}]
      env: {{- include "brinkwatch.environment" . | nindent 8 }}
      ports:
        - {name: metrics, containerPort: {{ .port }}, protocol: TCP}
        {{- with .ports }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      # Extract loads its models first, and score its dyads.
      startupProbe:
        httpGet: {path: /livez, port: metrics, scheme: {{ include "brinkwatch.scheme" $root | upper }}}
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /livez, port: metrics, scheme: {{ include "brinkwatch.scheme" $root | upper }}}
        periodSeconds: 15
        timeoutSeconds: 5
        failureThreshold: 4
      readinessProbe:
        httpGet: {path: /readyz, port: metrics, scheme: {{ include "brinkwatch.scheme" $root | upper }}}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      resources: {{- include "brinkwatch.resources" .values.resources | nindent 8 }}
      securityContext: {{- include "brinkwatch.securityContext" $root | nindent 8 }}
      volumeMounts:
        - {name: data, mountPath: /data}
        {{- include "brinkwatch.mounts" . | nindent 8 }}
        {{- with .extraMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    {{- if not .claimed }}
    - name: data
      emptyDir: {sizeLimit: 256Mi}
    {{- end }}
    {{- include "brinkwatch.volumes" (dict "root" $root "roles" (list .role) "served" true) | nindent 4 }}
    {{- with .extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

{{/* What is asked for, and of the disk of the node no more than the volumes take. No limit of CPU: it would only slow. */}}
{{- define "brinkwatch.resources" -}}
requests:
  {{- toYaml .requests | nindent 2 }}
  {{- if not (hasKey .requests "ephemeral-storage") }}
  ephemeral-storage: 64Mi
  {{- end }}
limits:
  {{- toYaml .limits | nindent 2 }}
  {{- if not (hasKey .limits "ephemeral-storage") }}
  ephemeral-storage: 1Gi
  {{- end }}
{{- end }}
