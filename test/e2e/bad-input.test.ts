// What cannot be is refused with the contract's status and a message that names field, value and expectation, and leaves
// nothing behind.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeHandlerBundle } from '../helpers/bundle.ts';
import { type CallAnswer, call } from '../helpers/call.ts';
import { type RunningGateway, startGateway } from '../helpers/gateway.ts';
import { bodies, deployments } from './bad/deployments.ts';
import { others } from './bad/requests.ts';
import type { Row } from './bad/row.ts';
import { maxBundleBytes, uploads } from './bad/uploads.ts';
import { documentedStatuses, readApiDocument } from './openapi.ts';

const codes: Readonly<Record<number, string>> = {
  400: 'invalid',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  405: 'method-not-allowed',
  409: 'conflict',
  413: 'too-large',
  422: 'unprocessable',
};

const ask = (gateway: RunningGateway, { method = 'GET', path, body, headers }: Row): Promise<CallAnswer> => {
  const authorization = `Basic ${Buffer.from(`${gateway.user}:${gateway.password}`).toString('base64')}`;
  const isChunked = headers?.['Transfer-Encoding'] !== undefined;
  const length: Record<string, string> =
    body === undefined || isChunked ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  return call(gateway.url, { method, path, headers: { Authorization: authorization, ...length, ...headers }, body });
};

/** Everything that a refused request could have changed. */
const stateOf = async (gateway: RunningGateway): Promise<unknown> => {
  const [functions, secrets, namespaces] = await Promise.all(
    ['functions', 'secrets', 'namespaces'].map(async (what) =>
      JSON.parse((await gateway.control('GET', `/system/${what}`)).text),
    ),
  );
  const specs = functions.map((each: object) => ({
    ...each,
    usage: undefined,
    conditions: undefined,
    invocationCount: undefined,
  }));
  const files = await readdir(join(gateway.dataDir, 'bundles'), { recursive: true });
  return { specs, secrets, namespaces, files: files.sort() };
};

const checkRow = async (gateway: RunningGateway, row: Row): Promise<void> => {
  const answer = await ask(gateway, row);
  const text = answer.text.trim();
  assert.equal(answer.status, row.status, text);
  assert.equal(answer.headers['x-error-code'], codes[row.status]);
  if (typeof row.message === 'string') assert.ok(text.startsWith(row.message), text.slice(0, 500));
  else assert.match(text, row.message);
  assert.ok(text.length < 2000, `${text.length} characters`);
  assert.ok(!text.includes('hush'), 'a secret is repeated');
};

const checkGroup = (t: TestContext, gateway: RunningGateway, name: string, rows: readonly Row[]): Promise<void> =>
  t.test(name, async (t) => {
    const before = await stateOf(gateway);
    for (const row of rows) {
      await t.test(`${row.title} is ${row.status}`, async () => {
        await checkRow(gateway, row);
        assert.deepEqual(await stateOf(gateway), before);
      });
    }
  });

test('bad input is refused by name and changes nothing', async (t) => {
  const gateway = await startGateway(t, { args: [`--max-bundle-bytes=${maxBundleBytes}`, '--sample=false'] });
  const good = await makeHandlerBundle('good', `export const handler = () => new Response('still here');`);
  await gateway.deploy('good', good);
  await checkGroup(t, gateway, 'deployments', deployments(good.image));
  await checkGroup(t, gateway, 'bodies', bodies(good.image));
  await checkGroup(t, gateway, 'other routes', others);
  await checkGroup(t, gateway, 'uploads', await uploads(good));
  assert.equal((await gateway.call('good')).text, 'still here');

  const document = await readApiDocument(gateway);
  for (const row of [...deployments(good.image), ...others, ...(await uploads(good))]) {
    const { title, method = 'GET', path, status } = row;
    const statuses = documentedStatuses(document, method, path);
    const isNoRoute = path.startsWith('/function/') || status === 405 || row.message === '404 page not found';
    if (isNoRoute) continue;
    await t.test(`${title}: the API's description has ${status}`, () =>
      assert.ok(statuses?.includes(status), `${method} ${path}`),
    );
  }
});
