// Bundles arrive whole or not at all. Only for providers that take them.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Bundles } from '../../../provider/provider.ts';
import { makeHandlerBundle } from '../../helpers/bundle.ts';
import { type MakeSubject, rejects, setUp } from '../subject.ts';

async function* inPieces(bytes: Buffer, failAfter = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1000) {
    if (at >= failAfter) throw new Error('the client is gone');
    yield bytes.subarray(at, at + 1000);
  }
}

const source = 'export const handler = (_request) => new Response("x");';

export const bundleConformance = (name: string, make: MakeSubject): void => {
  const withBundles = (title: string, body: (bundles: Bundles) => Promise<void>): void => {
    test(`${name}: ${title}`, async (t) => {
      const { provider } = await setUp(t, make);
      assert.ok(provider.bundles !== undefined, 'the provider takes bundles');
      await body(provider.bundles);
    });
  };

  withBundles('a bundle is there once it is stored, and storing it again does nothing', async (bundles) => {
    const { digest, bytes } = await makeHandlerBundle('fn', source);
    assert.equal(await bundles.has(digest), false);
    await bundles.put(digest, inPieces(bytes));
    assert.equal(await bundles.has(digest), true);
    await bundles.put(digest, inPieces(bytes));
    assert.equal(await bundles.has(digest), true);
  });

  withBundles('a bundle with other bytes than its digest says is refused', async (bundles) => {
    const { digest } = await makeHandlerBundle('fn', source);
    const { bytes } = await makeHandlerBundle('fn', `${source}\n`);
    await rejects(bundles.put(digest, inPieces(bytes)), 'invalid');
    assert.equal(await bundles.has(digest), false);
  });

  withBundles('a bundle that is no tar is refused', async (bundles) => {
    const bytes = Buffer.from('no tar at all '.repeat(500));
    const digest = createHash('sha256').update(bytes).digest('hex');
    await rejects(bundles.put(digest, inPieces(bytes)), 'invalid');
    assert.equal(await bundles.has(digest), false);
  });

  withBundles('a bundle whose sender leaves in the middle is forgotten, and can be sent again', async (bundles) => {
    const { digest, bytes } = await makeHandlerBundle('fn', source);
    await assert.rejects(bundles.put(digest, inPieces(bytes, 1000)));
    assert.equal(await bundles.has(digest), false);
    await bundles.put(digest, inPieces(bytes));
    assert.equal(await bundles.has(digest), true);
  });

  withBundles('a bundle that is sent twice at once is stored once', async (bundles) => {
    const { digest, bytes } = await makeHandlerBundle('fn', source);
    await Promise.all([bundles.put(digest, inPieces(bytes)), bundles.put(digest, inPieces(bytes))]);
    assert.equal(await bundles.has(digest), true);
  });
};
