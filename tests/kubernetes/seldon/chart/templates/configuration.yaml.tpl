{{- if .Values.serviceAccount.create }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .Values.serviceAccount.name }}
  namespace: {{ .Release.Namespace }}
{{- end }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: seldon-config
  namespace: {{ .Release.Namespace }}
data:
  credentials: '{}'
  explainer: '{}'
  predictor_servers: {{ .Values.predictor_servers | toJson | quote }}
  storageInitializer: {{ .Values.storageInitializer | toJson | quote }}
