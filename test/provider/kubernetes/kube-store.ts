// The objects of an API server as small as tests need it: versions, generations, conflicts, and what has changed since when.
import type { KubeObject } from '../../../provider/kubernetes/objects.ts';

export type KubeEvent = {
  readonly version: number;
  readonly type: string;
  readonly collection: string;
  readonly object: KubeObject;
};

/** An answer that is no success. */
export class Refusal {
  readonly code: number;
  readonly reason: string;
  readonly message: string;

  constructor(code: number, reason: string, message: string) {
    this.code = code;
    this.reason = reason;
    this.message = message;
  }
}

type Fields = Record<string, unknown>;

/** RFC 7386 */
const mergePatch = (target: unknown, patch: unknown): unknown => {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const merged: Fields = typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
};

/** `a` (exists) and `a=b`, separated by commas. */
const selects = (selector: string | null, object: KubeObject): boolean =>
  (selector ?? '')
    .split(',')
    .filter((term) => term !== '')
    .every((term) => {
      const [key = '', value] = term.split('=');
      const found = object.metadata.labels?.[key];
      return value === undefined ? found !== undefined : found === value;
    });

/** `a.b=c`, separated by commas. */
const hasFields = (selector: string | null, object: KubeObject): boolean =>
  (selector ?? '')
    .split(',')
    .filter((term) => term !== '')
    .every((term) => {
      const [path = '', value] = term.split('=');
      return String(path.split('.').reduce((at: unknown, key) => (at as Fields | undefined)?.[key], object)) === value;
    });

const specOf = (object: KubeObject | undefined): string => JSON.stringify((object as { spec?: unknown } | undefined)?.spec);

export class KubeStore {
  readonly #objects = new Map<string, { collection: string; object: KubeObject }>();
  readonly history: KubeEvent[] = [];
  onEvent: (event: KubeEvent) => void = () => undefined;
  version = 10;
  /** Watches from before this version are too old. */
  oldest = 0;

  find(path: string): KubeObject | undefined {
    return this.#objects.get(path)?.object;
  }

  /** @param collection of all namespaces, or of one */
  list(collection: string, query: URLSearchParams): KubeObject[] {
    return [...this.#objects.values()]
      .filter((each) => KubeStore.isIn(each.collection, collection))
      .map(({ object }) => object)
      .filter((object) => selects(query.get('labelSelector'), object) && hasFields(query.get('fieldSelector'), object));
  }

  static isIn(collection: string, wanted: string): boolean {
    return collection === wanted || collection.replace(/\/namespaces\/[^/]+\//, '/') === wanted;
  }

  static matches(query: URLSearchParams, object: KubeObject): boolean {
    return selects(query.get('labelSelector'), object);
  }

  create(collection: string, object: KubeObject): KubeObject {
    const { name } = object.metadata;
    if (this.#objects.has(`${collection}/${name}`)) throw new Refusal(409, 'AlreadyExists', `"${name}" already exists`);
    return this.write(collection, object);
  }

  replace(path: string, object: KubeObject): KubeObject {
    const { collection, object: before } = this.#get(path);
    const { resourceVersion } = object.metadata;
    if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion) {
      throw new Refusal(409, 'Conflict', `"${before.metadata.name}": the object has been modified`);
    }
    return this.write(collection, object);
  }

  patch(path: string, patch: unknown): KubeObject {
    const { collection, object } = this.#get(path);
    return this.write(collection, mergePatch(object, patch) as KubeObject);
  }

  delete(path: string, uid?: string): KubeObject {
    const { collection, object } = this.#get(path);
    if (uid !== undefined && uid !== object.metadata.uid)
      throw new Refusal(409, 'Conflict', 'the UID in the precondition differs');
    this.#objects.delete(path);
    this.#note('DELETED', collection, object);
    return object;
  }

  /** As it is, whatever was there before. */
  write(collection: string, object: KubeObject): KubeObject {
    const path = `${collection}/${object.metadata.name}`;
    const before = this.#objects.get(path)?.object;
    const generation = before?.metadata.generation ?? 0;
    const metadata = {
      uid: `uid-${this.version + 1}`,
      creationTimestamp: new Date(1.7e12 + this.version * 1000).toISOString().replace('.000', ''),
      ...before?.metadata,
      ...object.metadata,
      generation: specOf(before) === specOf(object) && before !== undefined ? generation : generation + 1,
    };
    return this.#note(before === undefined ? 'ADDED' : 'MODIFIED', collection, { ...object, metadata });
  }

  #get(path: string): { collection: string; object: KubeObject } {
    const found = this.#objects.get(path);
    if (found === undefined) throw new Refusal(404, 'NotFound', `"${path.split('/').at(-1)}" not found`);
    return found;
  }

  #note(type: string, collection: string, item: KubeObject): KubeObject {
    this.version += 1;
    const object = { ...item, metadata: { ...item.metadata, resourceVersion: String(this.version) } };
    if (type !== 'DELETED') this.#objects.set(`${collection}/${item.metadata.name}`, { collection, object });
    const event = { version: this.version, type, collection, object };
    this.history.push(event);
    this.onEvent(event);
    return object;
  }
}
