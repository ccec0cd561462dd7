// Commands as SQL. A command that cannot be done throws and has changed nothing that its caller does not roll back.
// Runs in the database thread.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { FaasError } from '../../types/errors.ts';
import type { FunctionRef } from '../../types/name.ts';
import { formatRef } from '../../types/name.ts';
import type { Command, FunctionRow, SecretRow } from './command.ts';
import { recentImagesKept } from './command.ts';

type Of<Kind extends Command['kind']> = Extract<Command, { kind: Kind }>;

export type Execute = (command: Command) => void;

const notFound = (what: string, name: string): FaasError => new FaasError('not-found', `${what} ${name} not found`);

const exists = (what: string, name: string): FaasError => new FaasError('conflict', `${what} ${name} already exists`);

const statements = (database: DatabaseSync) => {
  const prepare = (sql: string): StatementSync => database.prepare(sql);
  return {
    hasNamespace: prepare('SELECT 1 FROM namespaces WHERE name = ?'),
    createNamespace: prepare('INSERT INTO namespaces (name, labels, annotations) VALUES (?, ?, ?) ON CONFLICT DO NOTHING'),
    updateNamespace: prepare('UPDATE namespaces SET labels = ?2, annotations = ?3 WHERE name = ?1'),
    removeNamespace: prepare('DELETE FROM namespaces WHERE name = ?'),
    createFunction: prepare(
      'INSERT INTO functions (namespace, name, spec, replicas, created_at, called_at_ms) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    ),
    updateFunction: prepare(
      'UPDATE functions SET spec = coalesce(?3, spec), replicas = coalesce(?4, replicas), called_at_ms = coalesce(?5, called_at_ms) WHERE namespace = ?1 AND name = ?2',
    ),
    removeFunction: prepare('DELETE FROM functions WHERE namespace = ? AND name = ?'),
    createSecret: prepare('INSERT INTO secrets (namespace, name, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING'),
    updateSecret: prepare('UPDATE secrets SET value = ?3 WHERE namespace = ?1 AND name = ?2'),
    removeSecret: prepare('DELETE FROM secrets WHERE namespace = ? AND name = ?'),
    forgetImage: prepare('DELETE FROM recent_images WHERE namespace = ? AND name = ? AND digest = ?'),
    noteImage: prepare('INSERT INTO recent_images (namespace, name, digest) VALUES (?, ?, ?)'),
    trimImages: prepare(
      'DELETE FROM recent_images WHERE namespace = ?1 AND name = ?2 AND id NOT IN (SELECT id FROM recent_images WHERE namespace = ?1 AND name = ?2 ORDER BY id DESC LIMIT ?3)',
    ),
  };
};

/** The executor of one database; `defaultNamespace` cannot be removed. */
export const createExecute = (database: DatabaseSync, defaultNamespace: string): Execute => {
  const sql = statements(database);

  const requireNamespace = (name: string): void => {
    if (sql.hasNamespace.get(name) === undefined) {
      throw new FaasError('invalid', `namespace: expected an existing namespace, got ${JSON.stringify(name)}`);
    }
  };

  const noteImage = ({ namespace, name }: FunctionRef, digest: string | undefined): void => {
    if (digest === undefined) return;
    sql.forgetImage.run(namespace, name, digest);
    sql.noteImage.run(namespace, name, digest);
    sql.trimImages.run(namespace, name, recentImagesKept);
  };

  const createFunction = ({ ref, spec, replicas, createdAt, calledAtMs }: FunctionRow): void => {
    requireNamespace(ref.namespace);
    const { changes } = sql.createFunction.run(ref.namespace, ref.name, spec.json, replicas, createdAt, calledAtMs);
    if (changes === 0) throw exists('function', formatRef(ref));
    noteImage(ref, spec.digest);
  };

  const updateFunction = ({ ref, spec, replicas, calledAtMs }: Of<'updateFunction'>): void => {
    const { changes } = sql.updateFunction.run(ref.namespace, ref.name, spec?.json ?? null, replicas ?? null, calledAtMs ?? null);
    if (changes === 0) throw notFound('function', formatRef(ref));
    noteImage(ref, spec?.digest);
  };

  const createSecret = ({ ref, value }: SecretRow): void => {
    requireNamespace(ref.namespace);
    if (sql.createSecret.run(ref.namespace, ref.name, value).changes === 0) throw exists('secret', formatRef(ref));
  };

  const removeNamespace = (name: string): void => {
    if (name === defaultNamespace) throw new FaasError('invalid', `namespace: ${name} is the default one and cannot be removed`);
    if (sql.removeNamespace.run(name).changes === 0) throw notFound('namespace', name);
  };

  return (command) => {
    switch (command.kind) {
      case 'createFunction':
        return createFunction(command.row);
      case 'updateFunction':
        return updateFunction(command);
      case 'removeFunction':
        if (sql.removeFunction.run(command.ref.namespace, command.ref.name).changes > 0) return;
        throw notFound('function', formatRef(command.ref));
      case 'createSecret':
        return createSecret(command.row);
      case 'updateSecret': {
        const { ref, value } = command.row;
        if (sql.updateSecret.run(ref.namespace, ref.name, value).changes > 0) return;
        throw notFound('secret', formatRef(ref));
      }
      case 'removeSecret':
        if (sql.removeSecret.run(command.ref.namespace, command.ref.name).changes > 0) return;
        throw notFound('secret', formatRef(command.ref));
      case 'createNamespace': {
        const { name, labels, annotations } = command.namespace;
        if (sql.createNamespace.run(name, JSON.stringify(labels), JSON.stringify(annotations)).changes > 0) return;
        throw exists('namespace', name);
      }
      case 'updateNamespace': {
        const { name, labels, annotations } = command.namespace;
        if (sql.updateNamespace.run(name, JSON.stringify(labels), JSON.stringify(annotations)).changes > 0) return;
        throw notFound('namespace', name);
      }
      case 'removeNamespace':
        return removeNamespace(command.name);
    }
  };
};
