// The rights that deploy/kubernetes/ gives the gateway are those that it uses, no fewer and no more.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Manifest, readManifests } from '../../../cli/steps/manifests.ts';
import { eventually } from '../../helpers/eventually.ts';
import { collections, namespace, podOf, type Rig, startRig } from './rig.ts';

const dir = fileURLToPath(new URL('../../../deploy/kubernetes', import.meta.url));

type Rule = { readonly apiGroups: string[]; readonly resources: string[]; readonly verbs: string[] };

const granted = async (file: string): Promise<string[]> => {
  const all = (await readManifests(dir)).filter((each) => each.file === file);
  const rules = all.flatMap(({ manifest }) => (manifest as Manifest & { rules?: Rule[] }).rules ?? []);
  const rights = rules.flatMap(({ apiGroups, resources, verbs }) =>
    resources.flatMap((resource) => verbs.map((verb) => `${verb} ${apiGroups[0] === '' ? '' : `${apiGroups[0]}/`}${resource}`)),
  );
  return [...new Set(rights)].sort();
};

const verbs: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** What Kubernetes asks for before it does that. */
const rightOf = (line: string): string | undefined => {
  const match =
    /^(\w+) \/(?:api\/v1|apis\/([\w.]+)\/\w+)\/(?:namespaces\/[\w-]+\/(?=\w))?(\w+)(?:\/([\w.-]+))?(?:\/(\w+))?(?:\/[^?]*)?(\?.*)?$/.exec(
      line,
    );
  if (match === null) return undefined;
  const [, method = '', group, resource = '', name, sub, query = ''] = match;
  const read = name !== undefined ? 'get' : query.includes('watch=') ? 'watch' : 'list';
  return `${verbs[method] ?? read} ${group === undefined ? '' : `${group}/`}${resource}${sub === undefined ? '' : `/${sub}`}`;
};

/** Everyone may ask what they may do; the statistics of nodes come with a right that is far too strong, so they are done without. */
const withoutGrant = new Set(['create authorization.k8s.io/selfsubjectaccessreviews', 'get nodes/proxy']);

/** Does all that a provider can do, where `wholeCluster` namespaces too. */
const doEverything = async (rig: Rig, wholeCluster: boolean): Promise<void> => {
  const { provider, api } = rig;
  const annotations = { 'com.openfaas.profile': 'gpu' };
  const spec = { service: 'fn', namespace, image: 'fn:1', secrets: ['key'], annotations };
  const ref = { name: 'fn', namespace };
  const secret = { name: 'key', namespace, value: Buffer.from('v') };
  await provider.secrets.create(secret);
  await provider.secrets.update(secret);
  await provider.secrets.list(namespace);
  await provider.deploy(spec);
  await provider.update(spec);
  await provider.scale(ref, 2);
  api.put(podOf('fn'), collections.pods);
  const asked = (what: string): boolean => api.requests.some((line) => line.includes(what));
  await eventually(
    async () => {
      await provider.get(ref, { usage: true });
      return asked('/events?') && asked('/proxy/stats');
    },
    { what: 'the details of the pod' },
  );
  for await (const _ of provider.logs({ name: 'fn', namespace, follow: false, tail: 1 } as never, AbortSignal.timeout(5000)));
  await provider.remove(ref);
  await provider.secrets.remove({ name: 'key', namespace });
  await provider.get({ name: 'none', namespace });
  await provider.namespaces.get(namespace);
  await provider.namespaces.update({ name: namespace, labels: {}, annotations: {} });
  if (!wholeCluster) return;
  await provider.namespaces.create({ name: 'dev', labels: {}, annotations: {} });
  await provider.namespaces.remove('dev');
};

const used = async (t: TestContext, wholeCluster: boolean): Promise<string[]> => {
  const rig = await startRig(t, {
    prepare: (api) => {
      api.put({ metadata: { name: 'gpu' } }, collections.profiles);
      if (wholeCluster) return;
      const no = { status: { allowed: false } };
      api.answer('POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews', 201, no);
    },
  });
  rig.api.answer(`GET ${collections.podMetrics}`, 404, { kind: 'Status', code: 404, reason: 'NotFound', message: 'no' });
  rig.api.answer('GET /api/v1/nodes/', 403, { kind: 'Status', code: 403, reason: 'Forbidden', message: 'no' });
  rig.api.answer(`GET ${collections.pods}/fn-1/log`, 404, { kind: 'Status', code: 404, reason: 'NotFound', message: 'no' });
  await doEverything(rig, wholeCluster);
  const rights = rig.api.requests.filter((line) => !line.startsWith('GET /version')).map((line) => rightOf(line) ?? line);
  return [...new Set(rights)].filter((right) => !withoutGrant.has(right)).sort();
};

test('the rights in the whole cluster are the ones that are used', async (t) => {
  assert.deepEqual(await used(t, true), await granted('20-rbac-cluster.yaml'));
});

test('the rights in one namespace are the ones that are used', async (t) => {
  assert.deepEqual(await used(t, false), await granted('20-rbac-one-namespace.yaml'));
});

test('fact 138: pods of the gateway carry the label and the annotations by which Prometheus finds them', async () => {
  const all = (await readManifests(dir)).map(({ manifest }) => manifest);
  const gateway = all.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'gateway');
  const { template } = gateway!.spec as { template: { metadata: { labels: object; annotations: object } } };
  assert.equal((template.metadata.labels as { app?: string }).app, 'gateway');
  assert.deepEqual(template.metadata.annotations, { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8082' });
});

test('the network policy lets the pods of the gateway call functions, and no function that calls itself gateway', async () => {
  type Labels = Readonly<Record<string, string>>;
  type Selector = { readonly matchLabels: Labels };
  type Policy = { ingress: readonly { from: readonly { namespaceSelector: Selector; podSelector: Selector }[] }[] };
  const all = (await readManifests(dir)).map(({ manifest }) => manifest);
  const labelsOf = (kind: string, name: string): Labels => {
    const found = all.find((each) => each.kind === kind && each.metadata.name === name);
    return (found?.metadata as { labels?: Labels } | undefined)?.labels ?? {};
  };
  const fits = ({ matchLabels }: Selector, labels: Labels): boolean =>
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
  const policy = all.find(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === 'functions')?.spec as Policy;
  const sources = policy.ingress.flatMap(({ from }) => from);
  assert.equal(sources.length, 1);
  const [{ namespaceSelector, podSelector }] = sources as [Policy['ingress'][0]['from'][0]];
  assert.ok(fits(podSelector, { app: 'gateway' }));
  assert.ok(fits(namespaceSelector, labelsOf('Namespace', 'openfaas')));
  assert.ok(!fits(namespaceSelector, labelsOf('Namespace', 'openfaas-fn')));
});
