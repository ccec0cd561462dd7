// What faas-netes (community edition) makes of a function, typed from the OpenFaaS contract, section 5: not from our own output.
import { functionNamespace } from './objects.ts';

export type FaasNetesFunction = {
  readonly service: string;
  readonly image: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly limits: Readonly<Record<string, string>>;
};

const probe = {
  httpGet: { path: '/_/health', port: 8080, scheme: 'HTTP' },
  initialDelaySeconds: 2,
  timeoutSeconds: 1,
  periodSeconds: 2,
  successThreshold: 1,
  failureThreshold: 3,
};

export const faasNetesDeployment = (fn: FaasNetesFunction): object => {
  const annotations = { ...fn.annotations, 'prometheus.io.scrape': 'false' };
  const volume = `${fn.service}-projected-secrets`;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: fn.service, namespace: functionNamespace, labels: { faas_function: fn.service }, annotations },
    spec: {
      replicas: 1,
      selector: { matchLabels: { faas_function: fn.service } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      revisionHistoryLimit: 10,
      template: {
        metadata: {
          // An update by faas-netes leaves the number behind.
          labels: { faas_function: fn.service, uid: '738205741', ...fn.labels },
          annotations,
        },
        spec: {
          restartPolicy: 'Always',
          dnsPolicy: 'ClusterFirst',
          containers: [
            {
              name: fn.service,
              image: fn.image,
              imagePullPolicy: 'Always',
              ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
              env: Object.keys(fn.environment)
                .sort()
                .map((name) => ({ name, value: fn.environment[name] })),
              resources: { limits: fn.limits },
              readinessProbe: probe,
              livenessProbe: probe,
              securityContext: { readOnlyRootFilesystem: false },
              volumeMounts: [{ name: volume, mountPath: '/var/openfaas/secrets', readOnly: true }],
            },
          ],
          volumes: [
            {
              name: volume,
              projected: {
                sources: fn.secrets.map((name) => ({ secret: { name, items: [{ key: name, path: name }] } })),
              },
            },
          ],
        },
      },
    },
  };
};

export const faasNetesService = (fn: FaasNetesFunction): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: fn.service,
    namespace: functionNamespace,
    annotations: { ...fn.annotations, 'prometheus.io.scrape': 'false' },
  },
  spec: {
    type: 'ClusterIP',
    selector: { faas_function: fn.service },
    ports: [{ name: 'http', protocol: 'TCP', port: 8080, targetPort: 8080 }],
  },
});
