import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BundleConfig,
  formatBundleImage,
  isDigest,
  parseBundleImage,
  requireBundleImage,
} from '../../../provider/types/bundle.ts';
import { parse } from '../../../provider/types/validate.ts';

const digest = '0123456789abcdef'.repeat(4);

test('the image name of a bundle holds its digest', () => {
  const image = { name: 'registry.example:5000/team/fn:1.0', digest };
  assert.deepEqual(parseBundleImage(formatBundleImage(image)), image);
});

for (const image of [
  'fn:latest',
  `@sha256:${digest}`,
  `a name@sha256:${digest}`,
  `fn:ü@sha256:${digest}`,
  `fn@sha256:${digest.toUpperCase()}`,
  `fn@sha256:${digest}0`,
  `fn@sha256:${digest.slice(1)}`,
  `fn@sha512:${digest}`,
  `fn@sha256:${digest}\n`,
  '',
]) {
  test(`${JSON.stringify(image.slice(0, 24))} names no bundle and the refusal says what to do`, () => {
    assert.equal(parseBundleImage(image), undefined);
    assert.throws(() => requireBundleImage(image), { code: 'invalid', message: /^image: expected name:tag@sha256.*sluice up/ });
  });
}

test('a digest is 64 hexadecimal digits in lower case', () => {
  assert.equal(isDigest(digest), true);
  for (const text of ['', digest.slice(1), `${digest}0`, digest.toUpperCase(), `${digest.slice(0, 62)}..`]) {
    assert.equal(isDigest(text), false);
  }
});

test('a bundle configuration with wrong and unknown keys is refused naming each', () => {
  assert.throws(() => parse(BundleConfig, { version: 2, language: 'node', mode: 'cgi', mods: 1 }, 'sluice.json'), {
    code: 'invalid',
    message:
      'version: expected 1, got 2; mode: expected one of "inproc"|"http"|"streaming"|"serializing"|"static", got "cgi"; ' +
      'sluice.json: unknown key mods',
  });
});

test('a bundle configuration keeps what it says', () => {
  const config = { version: 1, language: 'node', mode: 'inproc', handler: 'function/handler.js', environment: { A: 'b' } };
  assert.deepEqual(parse(BundleConfig, config), config);
});
