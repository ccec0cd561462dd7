// A project in a directory of its own, removed after the test, and the ways tests look at what was built from it.
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { extract } from 'tar-stream';
import { type BuildOptions, type BuiltFunction, buildFunction } from '../../../cli/build/build-function.ts';
import { onEnd } from '../../helpers/cleanup.ts';

export const builtinDir = fileURLToPath(new URL('../../../templates', import.meta.url));

/** The environment of this process without what tells `node --test` that it runs inside another one. */
export const plainEnv = (): Record<string, string | undefined> => {
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env;
  return env;
};

export const writeFiles = async (dir: string, files: Readonly<Record<string, string>>): Promise<void> => {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  }
};

export const createProject = async (t: TestContext, files: Readonly<Record<string, string>> = {}): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-build-'));
  onEnd(t, () => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
  await writeFiles(dir, files);
  return dir;
};

export const build = async (
  cwd: string,
  options: Partial<BuildOptions> & Pick<BuildOptions, 'lang'>,
): Promise<BuiltFunction & { readonly lines: readonly string[] }> => {
  const lines: string[] = [];
  const built = await buildFunction({
    name: 'greet',
    handlerDir: './greet',
    image: 'greet:latest',
    cwd,
    builtinTemplatesDir: builtinDir,
    env: plainEnv(),
    log: (line) => lines.push(line),
    ...options,
  });
  return { ...built, lines };
};

export type PackedEntry = {
  readonly name: string;
  readonly type: string;
  readonly mode: number;
  readonly owner: string;
  readonly at: number;
  readonly linkname: string;
  readonly text: string;
};

export const readTar = async (file: string): Promise<PackedEntry[]> => {
  const entries: PackedEntry[] = [];
  const reader = extract();
  createReadStream(file).pipe(reader as unknown as NodeJS.WritableStream);
  for await (const entry of reader) {
    const parts: Uint8Array[] = [];
    for await (const part of entry as AsyncIterable<Uint8Array>) parts.push(part);
    const { name, type, mode, uid, gid, uname, gname, mtime, linkname } = entry.header;
    const owner = `${uid}:${gid}:${uname}:${gname}`;
    entries.push({
      name,
      type,
      mode,
      owner,
      at: mtime.getTime(),
      linkname: linkname ?? '',
      text: Buffer.concat(parts).toString(),
    });
  }
  return entries;
};

export const namesOf = async (file: string): Promise<string[]> => (await readTar(file)).map((entry) => entry.name);
