// Objects typed by hand from the OpenFaaS contract sheet, section 5, not from what the builders give.
import type { FunctionSpec } from '../../../provider/types/function.ts';

export const spec: FunctionSpec = {
  service: 'figlet',
  namespace: 'openfaas-fn',
  image: 'registry.example.com/figlet:1',
  envProcess: 'figlet -w 80',
  envVars: { zeta: '1', alpha: 'a b', write_timeout: '10s', healthcheck_interval: '5s' },
  labels: { team: 'blue', 'com.openfaas.scale.min': '2' },
  annotations: { topic: 'orders,payments' },
  secrets: ['registry-login', 'db-password', 'api-key', 'api-key'],
  constraints: ['disk=ssd', 'a==b', 'no-value'],
  limits: { memory: '128Mi', cpu: '500m' },
  requests: { memory: '64Mi' },
  readOnlyRootFilesystem: true,
};

const annotations = { topic: 'orders,payments', 'prometheus.io.scrape': 'false' };

const probe = {
  httpGet: { path: '/_/health', port: 8080 },
  initialDelaySeconds: 2,
  timeoutSeconds: 1,
  periodSeconds: 2,
  successThreshold: 1,
  failureThreshold: 3,
};

/** Without our own `sluice.dev/revision`. */
export const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'figlet', namespace: 'openfaas-fn', labels: { faas_function: 'figlet' }, annotations },
  spec: {
    replicas: 2,
    selector: { matchLabels: { faas_function: 'figlet' } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    revisionHistoryLimit: 10,
    template: {
      metadata: { labels: { faas_function: 'figlet', team: 'blue', 'com.openfaas.scale.min': '2' }, annotations },
      spec: {
        restartPolicy: 'Always',
        dnsPolicy: 'ClusterFirst',
        enableServiceLinks: false,
        // 10s of write_timeout and 5s of healthcheck_interval, and two.
        terminationGracePeriodSeconds: 17,
        nodeSelector: { disk: 'ssd' },
        imagePullSecrets: [{ name: 'registry-login' }],
        containers: [
          {
            name: 'figlet',
            image: 'registry.example.com/figlet:1',
            imagePullPolicy: 'Always',
            ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
            env: [
              { name: 'OPENFAAS_NAME', value: 'figlet' },
              { name: 'OPENFAAS_NAMESPACE', value: 'openfaas-fn' },
              { name: 'alpha', value: 'a b' },
              { name: 'fprocess', value: 'figlet -w 80' },
              { name: 'healthcheck_interval', value: '5s' },
              { name: 'write_timeout', value: '10s' },
              { name: 'zeta', value: '1' },
            ],
            resources: { limits: { memory: '128Mi', cpu: '500m' }, requests: { memory: '64Mi' } },
            readinessProbe: probe,
            livenessProbe: probe,
            securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false },
            volumeMounts: [
              { name: 'temp', mountPath: '/tmp', readOnly: false },
              { name: 'figlet-projected-secrets', mountPath: '/var/openfaas/secrets', readOnly: true },
            ],
            terminationMessagePolicy: 'FallbackToLogsOnError',
          },
        ],
        volumes: [
          { name: 'temp', emptyDir: {} },
          {
            name: 'figlet-projected-secrets',
            projected: { sources: [{ secret: { name: 'api-key' } }, { secret: { name: 'db-password' } }] },
          },
        ],
      },
    },
  },
};

export const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'figlet', namespace: 'openfaas-fn', annotations },
  spec: {
    type: 'ClusterIP',
    selector: { faas_function: 'figlet' },
    ports: [{ name: 'http', port: 8080, targetPort: 8080, protocol: 'TCP' }],
  },
};

/** As the API server gives back what faas-netes made: its own fields, defaults filled in, an updated function's `uid` label. */
export const faasNetes = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'figlet',
    namespace: 'openfaas-fn',
    uid: 'd1',
    resourceVersion: '41',
    generation: 3,
    creationTimestamp: '2024-01-02T03:04:05Z',
    labels: { faas_function: 'figlet' },
    annotations: { 'prometheus.io.scrape': 'false', old: 'note', 'deployment.kubernetes.io/revision': '3' },
  },
  spec: {
    replicas: 4,
    selector: { matchLabels: { faas_function: 'figlet' } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
    template: {
      metadata: {
        creationTimestamp: null,
        labels: { faas_function: 'figlet', uid: '183746', stale: 'label' },
        annotations: { 'prometheus.io.scrape': 'false', old: 'note' },
      },
      spec: {
        restartPolicy: 'Always',
        dnsPolicy: 'ClusterFirst',
        schedulerName: 'default-scheduler',
        securityContext: {},
        terminationGracePeriodSeconds: 30,
        imagePullSecrets: [{ name: 'registry-login' }, { name: 'registry-login' }],
        containers: [
          {
            name: 'figlet',
            image: 'registry.example.com/figlet:0',
            imagePullPolicy: 'Always',
            ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
            env: [
              { name: 'fprocess', value: 'figlet' },
              { name: 'stale', value: 'variable' },
            ],
            resources: { limits: { memory: '64Mi' } },
            readinessProbe: { exec: { command: ['cat', '/tmp/.lock'] }, timeoutSeconds: 1, periodSeconds: 2 },
            livenessProbe: { exec: { command: ['cat', '/tmp/.lock'] }, timeoutSeconds: 1, periodSeconds: 2 },
            securityContext: { readOnlyRootFilesystem: true, runAsUser: 12000 },
            terminationMessagePath: '/dev/termination-log',
            terminationMessagePolicy: 'File',
            volumeMounts: [
              { name: 'temp', mountPath: '/tmp' },
              { name: 'figlet-projected-secrets', mountPath: '/var/openfaas/secrets', readOnly: true },
              { name: 'cache', mountPath: '/cache' },
            ],
          },
        ],
        volumes: [
          { name: 'temp', emptyDir: {} },
          { name: 'figlet-projected-secrets', projected: { sources: [{ secret: { name: 'old-key' } }], defaultMode: 420 } },
          { name: 'cache', emptyDir: {} },
        ],
      },
    },
  },
  status: { observedGeneration: 3, replicas: 4, availableReplicas: 4 },
};
