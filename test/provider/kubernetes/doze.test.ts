// What the two steps to zero ask of the API server, and what its answers mean.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallOptions, KubeApi } from '../../../provider/kubernetes/api.ts';
import { dozeKey, dozeMarkOf, markDozing, putToSleep, scalePatch } from '../../../provider/kubernetes/doze.ts';
import { KubeError } from '../../../provider/kubernetes/errors.ts';
import type { Deployment } from '../../../provider/kubernetes/objects.ts';
import { deployment } from './golden.ts';

const ref = { name: 'figlet', namespace: 'dev' };

/** Answers every request with that, and keeps what it was asked. */
const apiThat = (answer: () => object) => {
  const asked: { method: string; path: string; options: CallOptions | undefined }[] = [];
  const api: KubeApi = {
    async call<Answer>(method: string, path: string, options?: CallOptions) {
      asked.push({ method, path, options });
      return answer() as Answer;
    },
    stream: () => Promise.reject(new Error('nobody asked for it')),
    close: async () => {},
  };
  return { api, asked };
};

test('a doze is a mark on the Deployment and changes nothing of its pods', async () => {
  const { api, asked } = apiThat(() => deployment);
  const wrote: Deployment[] = [];
  const stayAlive = setInterval(() => {}, 1000);
  const mark = await markDozing(api, ref, (each) => void wrote.push(each), 5).finally(() => clearInterval(stayAlive));
  assert.match(mark, /^[0-9a-f]{16}$/);
  assert.deepEqual(asked, [
    {
      method: 'PATCH',
      path: '/apis/apps/v1/namespaces/dev/deployments/figlet',
      options: { body: { metadata: { annotations: { [dozeKey]: mark } } }, contentType: 'application/merge-patch+json' },
    },
  ]);
  assert.equal(wrote.length, 1, 'this gateway knows before its watch tells it');
});

test('sleep is one request that holds only while the mark is there', async () => {
  const { api, asked } = apiThat(() => deployment);
  assert.equal(await putToSleep(api, ref, 'm1', () => {}), true);
  const path = '/metadata/annotations/sluice.dev~1dozing';
  assert.deepEqual(asked[0]?.options, {
    body: [
      { op: 'test', path, value: 'm1' },
      { op: 'remove', path },
      { op: 'replace', path: '/spec/replicas', value: 0 },
    ],
    contentType: 'application/json-patch+json',
  });
});

test('a patch whose test fails has come too late, any other refusal is one', async () => {
  const refuses = (status: number) =>
    apiThat(() => {
      throw new KubeError(status, 'Some', 'reason');
    }).api;
  assert.equal(await putToSleep(refuses(422), ref, 'm1', () => {}), false);
  await assert.rejects(
    putToSleep(refuses(403), ref, 'm1', () => {}),
    { status: 403 },
  );
});

test('any scaling takes the mark away', () => {
  assert.deepEqual(scalePatch(3), { metadata: { annotations: { [dozeKey]: null } }, spec: { replicas: 3 } });
});

test('an empty mark is none', () => {
  const marked = (mark: string): Deployment =>
    ({ ...deployment, metadata: { ...deployment.metadata, annotations: { [dozeKey]: mark } } }) as unknown as Deployment;
  assert.equal(dozeMarkOf(marked('m1')), 'm1');
  assert.equal(dozeMarkOf(marked('')), undefined);
  assert.equal(dozeMarkOf(deployment as unknown as Deployment), undefined);
});
