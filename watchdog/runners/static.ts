// Mode static: files of one folder, with listings, ranges and conditional requests. Nothing outside of the folder is served,
// not through links either.
import { createReadStream, type promises, type Stats } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, sep } from 'node:path';
import { pipeline } from 'node:stream';
import { answer } from '../answer.ts';
import type { Call } from '../call.ts';
import type { Config } from '../config.ts';
import { StartError } from '../start-error.ts';
import { isUnchanged, parseRange, tagOf } from './conditional.ts';
import type { Runner } from './runner.ts';

/** Only this mode pays for loading it. */
const files = (): typeof promises => process.getBuiltinModule('node:fs/promises');

const types: Readonly<Record<string, string>> = {
  '.avif': 'image/avif',
  '.css': 'text/css; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.gif': 'image/gif',
  '.htm': 'text/html; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.md': 'text/markdown; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.mp3': 'audio/mpeg',
  '.mp4': 'video/mp4',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webm': 'video/webm',
  '.webp': 'image/webp',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
  '.xml': 'text/xml; charset=utf-8',
  '.zip': 'application/zip',
};

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (each) => `&#${each.charCodeAt(0)};`);

const redirect = (response: ServerResponse, location: string): void => {
  response.writeHead(301, { Location: location, 'Content-Length': 0 });
  response.end();
};

const sendListing = async (response: ServerResponse, folder: string): Promise<void> => {
  const entries = await files().readdir(folder, { withFileTypes: true });
  const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort();
  const lines = names.map(
    (name) => `<a href="./${encodeURI(name).replace(/[?#]/g, encodeURIComponent)}">${escapeHtml(name)}</a>`,
  );
  const body = `<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n${lines.join('\n')}\n</pre>\n`;
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
};

const sendFile = (request: IncomingMessage, response: ServerResponse, path: string, stats: Stats): void => {
  const tag = tagOf(stats.size, stats.mtimeMs);
  const common = { ETag: tag, 'Last-Modified': stats.mtime.toUTCString(), 'Accept-Ranges': 'bytes' };
  if (isUnchanged(request.headers, tag, stats.mtimeMs)) {
    response.writeHead(304, common);
    response.end();
    return;
  }
  const range = parseRange(request.headers, stats.size, tag, stats.mtimeMs);
  if (range === 'unsatisfiable') {
    answer(response, 416, `range: expected bytes within ${stats.size}`, ['Content-Range', `bytes */${stats.size}`]);
    return;
  }
  const { start, end } = range ?? { start: 0, end: stats.size - 1 };
  const head = {
    ...common,
    'Content-Type': types[extname(path).toLowerCase()] ?? 'application/octet-stream',
    'Content-Length': end - start + 1,
    ...(range === undefined ? {} : { 'Content-Range': `bytes ${start}-${end}/${stats.size}` }),
  };
  response.writeHead(range === undefined ? 200 : 206, head);
  if (request.method === 'HEAD' || stats.size === 0) {
    response.end();
    return;
  }
  // A failure in the middle destroys the response, which is all that can be done by then.
  pipeline(createReadStream(path, { start, end }), response, () => undefined);
};

/** The real path of what a URL path names; `undefined` when there is nothing that may be served. */
const locate = async (root: string, urlPath: string): Promise<string | undefined> => {
  let decoded: string;
  try {
    decoded = decodeURIComponent(urlPath);
  } catch {
    return undefined;
  }
  if (decoded.includes('\0')) return undefined;
  const real = await files()
    .realpath(join(root, decoded))
    .catch(() => undefined);
  return real === root || real?.startsWith(root.endsWith(sep) ? root : root + sep) ? real : undefined;
};

const serve = async ({ request, response }: Call, root: string): Promise<void> => {
  const [urlPath = '/', query] = (request.url as string).split('?', 2) as [string, string?];
  const suffix = query === undefined ? '' : `?${query}`;
  const last = urlPath.slice(urlPath.lastIndexOf('/') + 1);
  if (last === 'index.html') {
    redirect(response, `./${suffix}`);
    return;
  }
  const real = await locate(root, urlPath);
  const stats = real === undefined ? undefined : await files().stat(real);
  if (real === undefined || stats === undefined || !(stats.isFile() || stats.isDirectory())) {
    response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': 19 });
    response.end('404 page not found\n');
    return;
  }
  if (stats.isFile()) {
    if (last === '') redirect(response, `../${urlPath.split('/').at(-2)}${suffix}`);
    else sendFile(request, response, real, stats);
    return;
  }
  if (last !== '') {
    redirect(response, `${last}/${suffix}`);
    return;
  }
  const index = await locate(root, `${urlPath}index.html`);
  const indexStats = index === undefined ? undefined : await files().stat(index);
  if (index !== undefined && indexStats?.isFile()) sendFile(request, response, index, indexStats);
  else await sendListing(response, real);
};

/** @throws StartError (`LoadFailed`) when the folder is not there */
export const createStaticRunner = async (config: Config): Promise<Runner> => {
  const root = await files()
    .realpath(config.staticPath)
    .catch((cause: Error) => {
      throw new StartError('LoadFailed', `static_path: ${cause.message}`, { cause });
    });
  const handle = (call: Call): void => {
    serve(call, root).catch((error: Error) => answer(call.response, 500, `watchdog: ${error.message}`));
  };
  return { handle, ready: () => true, stop: async () => undefined, kill: () => undefined };
};
