// Bundles that are refused.
import { createHash } from 'node:crypto';
import type { BundleConfig } from '../../../provider/types/bundle.ts';
import { makeBundle, type TestBundle } from '../../helpers/bundle.ts';
import type { Row } from './row.ts';

/** What the gateway is told to take at most. */
export const maxBundleBytes = 65_536;

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const upload = (title: string, { digest, bytes }: Omit<TestBundle, 'image'>, status: number, message: string | RegExp): Row => ({
  title,
  method: 'PUT',
  path: `/system/bundles/${digest}`,
  body: bytes,
  status,
  message,
});

export const uploads = async (good: TestBundle): Promise<Row[]> => {
  const garbage = Buffer.from('garbage'.repeat(100));
  const big = Buffer.alloc(maxBundleBytes + 1);
  const holding = (path: string) => makeBundle('bad', { mode: 'inproc', handler: 'a.mjs' }, { [path]: 'x' });
  const configured = (config: object) => makeBundle('bad', config as BundleConfig, { 'a.mjs': 'x' });
  return [
    upload(
      'another digest',
      { ...good, digest: '0'.repeat(64) },
      400,
      `digest: expected ${'0'.repeat(64)}, as the address says, got `,
    ),
    upload('no digest', { ...good, digest: 'abc' }, 400, 'digest: expected 64 lower-case hexadecimal digits, got "abc"'),
    upload('garbage', { digest: sha256(garbage), bytes: garbage }, 400, 'bundle: expected a tar archive'),
    upload('nothing', { digest: sha256(Buffer.alloc(0)), bytes: Buffer.alloc(0) }, 400, /got an empty archive$/),
    upload('a path out of it', await holding('../x'), 400, 'bundle: entry "../x": expected a relative path'),
    upload('an absolute path', await holding('/tmp/x'), 400, 'bundle: entry "/tmp/x": expected a relative path'),
    upload('an unknown mode', await configured({ mode: 'cgi' }), 400, /^mode: expected one of .*, got "cgi"$/),
    upload('no handler', await configured({ mode: 'inproc' }), 400, 'handler: expected the path of a module'),
    upload('a handler out of it', await configured({ mode: 'inproc', handler: '../a' }), 400, 'handler: expected a path inside'),
    upload('too many bytes', { digest: sha256(big), bytes: big }, 413, `body: expected at most ${maxBundleBytes} bytes, got`),
    {
      ...upload(
        'too many bytes in chunks',
        { digest: sha256(big), bytes: big },
        413,
        `bundle: expected at most ${maxBundleBytes}`,
      ),
      headers: { 'Transfer-Encoding': 'chunked' },
    },
  ];
};
