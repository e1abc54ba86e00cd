{{- /* As in the chart it stands for: another certificate at each rendering, which lives a year. */}}
{{- $service := printf "seldon-webhook-service.%s" .Release.Namespace }}
{{- $ca := genCA "custom-metrics-ca" 365 }}
{{- $certificate := genSignedCert "seldon-webhook-service" nil (list $service (printf "%s.svc" $service)) 365 $ca }}
---
apiVersion: v1
kind: Secret
metadata:
  name: seldon-webhook-server-cert
  namespace: {{ .Release.Namespace }}
type: kubernetes.io/tls
data:
  ca.crt: {{ $ca.Cert | b64enc }}
  tls.crt: {{ $certificate.Cert | b64enc }}
  tls.key: {{ $certificate.Key | b64enc }}
---
apiVersion: v1
kind: Service
metadata:
  name: seldon-webhook-service
  namespace: {{ .Release.Namespace }}
spec:
  selector:
    control-plane: seldon-controller-manager
  ports:
    - port: 443
      targetPort: {{ .Values.webhook.port }}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata:
  name: seldon-validating-webhook-configuration-{{ .Release.Namespace }}
webhooks:
  - name: v1.vseldondeployment.kb.io
    admissionReviewVersions: [v1]
    sideEffects: None
    failurePolicy: Fail
    clientConfig:
      caBundle: {{ $ca.Cert | b64enc }}
      service:
        name: seldon-webhook-service
        namespace: {{ .Release.Namespace }}
        path: /validate-machinelearning-seldon-io-v1-seldondeployment
    rules:
      - apiGroups: [machinelearning.seldon.io]
        apiVersions: [v1]
        operations: [CREATE, UPDATE]
        resources: [seldondeployments]
