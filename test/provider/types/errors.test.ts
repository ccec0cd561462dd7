import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { codeOfStatus, FaasError, fromWire, httpStatus, isFaasError, toFaasError } from '../../../provider/types/errors.ts';

test('an error knows its status, cause, reason and when to retry', () => {
  const cause = new Error('below');
  const error = new FaasError('unavailable', 'no replica answers', { cause, retryAfterS: 3, reason: 'CrashLoop' });
  assert.equal(error.status, 503);
  assert.deepEqual(
    [error.code, error.message, error.cause, error.retryAfterS, error.reason],
    ['unavailable', 'no replica answers', cause, 3, 'CrashLoop'],
  );
  assert.equal(isFaasError(error), true);
  assert.equal(isFaasError(cause), false);
});

test('an error without a cause has no cause property', () => {
  assert.equal(Object.hasOwn(new FaasError('invalid', 'x'), 'cause'), false);
});

test('every code comes back from its own wire form', () => {
  for (const [code, status] of Object.entries(httpStatus)) {
    const error = fromWire(status, code, ' what happened\n');
    assert.deepEqual([error.code, error.status, error.message], [code, status, 'what happened']);
    assert.equal(codeOfStatus(status), code);
  }
});

test('the code of the header wins over the status, unless there is no such code', () => {
  assert.equal(fromWire(500, 'not-found', '').code, 'not-found');
  for (const code of ['toString', 'constructor', '__proto__', '', 'teapot'])
    assert.equal(fromWire(404, code, '').code, 'not-found');
  assert.equal(fromWire(404, undefined, '').code, 'not-found');
});

test('a status without a code of its own becomes the nearest class', () => {
  assert.equal(codeOfStatus(418), 'invalid');
  assert.equal(codeOfStatus(406), 'invalid');
  assert.equal(codeOfStatus(507), 'internal');
});

test('an empty body is described by its status', () => {
  assert.equal(fromWire(502, undefined, ' \n').message, 'status 502');
});

test('anything thrown becomes an error of ours, and ours stay themselves', () => {
  const ours = new FaasError('busy', 'x');
  assert.equal(toFaasError(ours), ours);
  const theirs = new TypeError('boom');
  assert.deepEqual(
    [toFaasError(theirs).code, toFaasError(theirs).message, toFaasError(theirs).cause],
    ['internal', 'boom', theirs],
  );
  assert.deepEqual([toFaasError('text').message, toFaasError('text').cause], ['text', 'text']);
  assert.equal(toFaasError(undefined).message, 'undefined');
});

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Every word that the sources give as the reason of an error, a failure or a condition. */
const reasonsInSources = async (): Promise<string[]> => {
  const found = new Set<string>();
  const forms = [
    /reason: '(\w+)'/g,
    /StartError\(\s*'(\w+)'/g,
    /verdict\('\w+', '(\w+)'/g,
    /#cutShort\(.*, '(\w+)'\)/g,
    /reason = .*/g,
  ];
  for await (const file of glob('{gateway,provider/process,watchdog}/**/*.ts', { cwd: root })) {
    const text = await readFile(`${root}/${file}`, 'utf8');
    for (const match of forms.flatMap((form) => [...text.matchAll(form)])) {
      const words = match[1] === undefined ? [...match[0].matchAll(/[?:] '(\w+)'/g)].map(([, word]) => word) : [match[1]];
      for (const word of words) if (word !== undefined) found.add(word);
    }
  }
  return [...found].sort();
};

test('docs/errors.md explains every reason that the sources give, and no other', async () => {
  const page = await readFile(`${root}/docs/errors.md`, 'utf8');
  const documented = [...page.matchAll(/^\| `([A-Z]\w+)` +\|/gm)].map(([, word]) => word);
  assert.deepEqual(await reasonsInSources(), documented.sort());
});

test('docs/errors.md lists exactly the codes and statuses of the table', async () => {
  const page = await readFile(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `([a-z-]+)` +\| (\d{3}) +\|/gm)].map(([, code, status]) => [code, Number(status)]);
  assert.deepEqual(Object.fromEntries(rows), httpStatus);
  assert.equal(rows.length, Object.keys(httpStatus).length);
});
