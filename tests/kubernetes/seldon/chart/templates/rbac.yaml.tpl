{{- $all := list "get" "list" "watch" "create" "update" "patch" "delete" }}
{{- $read := list "get" "list" "watch" }}
{{- $account := dict "kind" "ServiceAccount" "name" .Values.serviceAccount.name "namespace" .Release.Namespace }}
{{- if .Values.rbac.create }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: seldon-manager-role-{{ .Release.Namespace }}
rules:
  - {apiGroups: [""], resources: [events], verbs: [create, patch]}
  - {apiGroups: [""], resources: [namespaces], verbs: {{ $read | toJson }}}
  - {apiGroups: [""], resources: [services], verbs: {{ $all | toJson }}}
  - {apiGroups: [apps], resources: [deployments], verbs: {{ $all | toJson }}}
  - {apiGroups: [autoscaling], resources: [horizontalpodautoscalers], verbs: {{ $all | toJson }}}
  - {apiGroups: [policy], resources: [poddisruptionbudgets], verbs: {{ $all | toJson }}}
  - apiGroups: [machinelearning.seldon.io]
    resources: [seldondeployments, seldondeployments/finalizers, seldondeployments/status]
    verbs: {{ $all | toJson }}
{{- if .Values.istio.enabled }}
  - {apiGroups: [networking.istio.io], resources: [virtualservices, destinationrules], verbs: {{ $all | toJson }}}
{{- end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: seldon-manager-rolebinding-{{ .Release.Namespace }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: seldon-manager-role-{{ .Release.Namespace }}}
subjects: [{{ $account | toJson }}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: seldon-leader-election-role
  namespace: {{ .Release.Namespace }}
rules:
  - {apiGroups: [""], resources: [configmaps], verbs: {{ $all | toJson }}}
  - {apiGroups: [""], resources: [events], verbs: [create, patch]}
  - {apiGroups: [coordination.k8s.io], resources: [leases], verbs: {{ $all | toJson }}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: seldon-leader-election-rolebinding
  namespace: {{ .Release.Namespace }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: seldon-leader-election-role}
subjects: [{{ $account | toJson }}]
{{- if .Values.rbac.configmap.create }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: seldon-manager-sas-role-{{ .Release.Namespace }}
rules:
  - {apiGroups: [""], resources: [secrets, configmaps, serviceaccounts], verbs: {{ $read | toJson }}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: seldon-manager-sas-rolebinding-{{ .Release.Namespace }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: seldon-manager-sas-role-{{ .Release.Namespace }}}
subjects: [{{ $account | toJson }}]
{{- end }}
{{- end }}
