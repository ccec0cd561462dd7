// From a function's specification to its Service (OpenFaaS contract, 5.2). Pure.
import type { FunctionSpec } from '../types/function.ts';
import type { Service } from './objects.ts';
import { functionLabel, toAnnotations } from './pod.ts';

export const toService = (spec: FunctionSpec): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: spec.service, namespace: spec.namespace, annotations: toAnnotations(spec) },
  spec: {
    type: 'ClusterIP',
    selector: { [functionLabel]: spec.service },
    ports: [{ name: 'http', port: 8080, targetPort: 8080, protocol: 'TCP' }],
  },
});

/** The Service as it is with the new annotations; its address and selector stay. */
export const updateService = (before: Service, spec: FunctionSpec): Service => ({
  ...before,
  metadata: { ...before.metadata, annotations: toAnnotations(spec) },
});

/** True for one that calls of the function would reach; any other of its name belongs to somebody else. */
export const servesFunction = (service: Service, name: string): boolean => {
  const selector = service.spec.selector ?? {};
  return selector[functionLabel] === name || selector.app === name;
};
