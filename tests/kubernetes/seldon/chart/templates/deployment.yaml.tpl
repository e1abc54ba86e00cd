---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: seldon-controller-manager
  namespace: {{ .Release.Namespace }}
  labels:
    control-plane: seldon-controller-manager
spec:
  replicas: 1
  selector:
    matchLabels:
      control-plane: seldon-controller-manager
  template:
    metadata:
      labels:
        control-plane: seldon-controller-manager
    spec:
      serviceAccountName: {{ .Values.serviceAccount.name }}
      securityContext:
        runAsUser: {{ .Values.managerUserID }}
      terminationGracePeriodSeconds: 10
      containers:
        - name: manager
          image: "{{ .Values.image.registry }}/{{ .Values.image.repository }}:{{ .Values.image.tag }}"
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          command: [/manager]
          args:
            - --enable-leader-election
            - --webhook-port={{ .Values.webhook.port }}
            - --metrics-addr=:{{ .Values.metrics.port }}
            - --log-level={{ .Values.manager.logLevel }}
          env:
            - name: POD_NAMESPACE
              valueFrom:
                fieldRef:
                  fieldPath: metadata.namespace
            {{- range $name, $value := dict
              "AMBASSADOR_ENABLED" .Values.ambassador.enabled
              "CONTROLLER_ID" .Values.controllerId
              "DEFAULT_USER_ID" .Values.defaultUserID
              "EXECUTOR_CONTAINER_IMAGE_PULL_POLICY" .Values.executor.image.pullPolicy
              "EXECUTOR_CONTAINER_SERVICE_ACCOUNT_NAME" .Values.executor.serviceAccount.name
              "EXECUTOR_CONTAINER_USER" .Values.executor.user
              "EXECUTOR_DEFAULT_CPU_LIMIT" .Values.executor.resources.cpuLimit
              "EXECUTOR_DEFAULT_CPU_REQUEST" .Values.executor.resources.cpuRequest
              "EXECUTOR_DEFAULT_MEMORY_LIMIT" .Values.executor.resources.memoryLimit
              "EXECUTOR_DEFAULT_MEMORY_REQUEST" .Values.executor.resources.memoryRequest
              "EXECUTOR_SERVER_PORT" .Values.executor.port
              "ISTIO_ENABLED" .Values.istio.enabled
              "ISTIO_GATEWAY" .Values.istio.gateway
              "ISTIO_TLS_MODE" .Values.istio.tlsMode
              "KEDA_ENABLED" .Values.keda.enabled
              "PREDICTIVE_UNIT_DEFAULT_ENV_SECRET_REF_NAME" .Values.predictiveUnit.defaultEnvSecretRefName
              "PREDICTIVE_UNIT_GRPC_SERVICE_PORT" .Values.predictiveUnit.grpcPort
              "PREDICTIVE_UNIT_HTTP_SERVICE_PORT" .Values.predictiveUnit.httpPort
              "PREDICTIVE_UNIT_METRICS_PORT_NAME" .Values.predictiveUnit.metricsPortName
            }}
            - name: {{ $name }}
              value: {{ $value | toString | quote }}
            {{- end }}
            - name: EXECUTOR_CONTAINER_IMAGE_AND_VERSION
              value: "{{ with .Values.executor.image }}{{ .registry }}/{{ .repository }}:{{ .tag }}{{ end }}"
          ports:
            - {name: webhook-server, containerPort: {{ .Values.webhook.port }}}
            - {name: metrics, containerPort: {{ .Values.metrics.port }}}
          resources:
            requests: {cpu: {{ .Values.manager.cpuRequest }}, memory: {{ .Values.manager.memoryRequest }}}
            limits: {cpu: {{ .Values.manager.cpuLimit }}, memory: {{ .Values.manager.memoryLimit }}}
          {{- with .Values.manager.containerSecurityContext }}
          securityContext: {{ toJson . }}
          {{- end }}
          volumeMounts:
            - name: cert
              mountPath: /tmp/k8s-webhook-server/serving-certs
              readOnly: true
      volumes:
        - name: cert
          secret:
            secretName: seldon-webhook-server-cert
