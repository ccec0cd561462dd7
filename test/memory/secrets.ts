// Secrets of the memory provider: values by namespace and name.
import type { Secrets } from '../../provider/provider.ts';
import { FaasError } from '../../provider/types/errors.ts';
import type { Gate } from './gate.ts';

const notFound = (name: string): FaasError => new FaasError('not-found', `secret ${name}: not found`);

export const createMemorySecrets = (values: Map<string, Map<string, Buffer>>, gate: Gate): Secrets => {
  const area = (namespace: string): Map<string, Buffer> => {
    const found = values.get(namespace);
    if (found === undefined) throw new FaasError('invalid', `namespace: expected an existing one, got "${namespace}"`);
    return found;
  };
  return {
    async list(namespace) {
      gate.pass('secrets.list');
      return [...area(namespace).keys()].sort().map((name) => ({ name, namespace }));
    },
    async create({ name, namespace, value }) {
      gate.pass('secrets.create');
      if (area(namespace).has(name)) throw new FaasError('conflict', `secret ${name}: exists already`);
      area(namespace).set(name, value);
    },
    async update({ name, namespace, value }) {
      gate.pass('secrets.update');
      if (!area(namespace).has(name)) throw notFound(name);
      area(namespace).set(name, value);
    },
    async remove({ name, namespace }) {
      gate.pass('secrets.remove');
      if (!area(namespace).delete(name)) throw notFound(name);
    },
  };
};
