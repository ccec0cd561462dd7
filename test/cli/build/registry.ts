// A package registry on a free port of this machine, so that real npm installs real packages without a network.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { onEnd } from '../../helpers/cleanup.ts';

export type Registry = {
  readonly url: string;
  /** Paths that were asked for. */
  readonly requests: readonly string[];
  /** `integrity` of the package's archive, as lock files have it. */
  integrity(name: string): string;
};

const archive = async (files: Readonly<Record<string, string>>): Promise<Buffer> => {
  const tar = pack();
  for (const [name, text] of Object.entries(files)) tar.entry({ name: `package/${name}`, mtime: new Date(0) }, text);
  tar.finalize();
  const parts: Uint8Array[] = [];
  for await (const part of tar as AsyncIterable<Uint8Array>) parts.push(part);
  return gzipSync(Buffer.concat(parts));
};

/** Every package has the one version 1.0.0. */
export const startRegistry = async (
  t: TestContext,
  packages: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Promise<Registry> => {
  const archives = new Map<string, Buffer>();
  for (const [name, files] of Object.entries(packages)) {
    const manifest = JSON.stringify({ name, version: '1.0.0', main: 'index.js' });
    archives.set(name, await archive({ 'package.json': manifest, ...files }));
  }
  const integrity = (name: string): string =>
    `sha512-${createHash('sha512')
      .update(archives.get(name) ?? '')
      .digest('base64')}`;
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push(path);
    const [, name = '', file] = path.split('/');
    const content = archives.get(name);
    if (content === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"no such package here"}');
      return;
    }
    if (file !== undefined) {
      response.end(content);
      return;
    }
    const dist = { tarball: `${url}/${name}/1.0.0.tgz`, integrity: integrity(name) };
    const versions = { '1.0.0': { name, version: '1.0.0', main: 'index.js', dist } };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ name, 'dist-tags': { latest: '1.0.0' }, versions }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onEnd(t, () => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, requests, integrity };
};
