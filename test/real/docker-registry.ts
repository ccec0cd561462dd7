// Debian's docker-registry on a free port, empty, with or without a password.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cleanup } from '../helpers/cleanup.ts';
import { freePort } from '../helpers/listen.ts';
import { runProgram, startProgram } from '../helpers/process.ts';
import { makeTmpDir } from '../helpers/tmp.ts';

export type Login = { readonly user: string; readonly password: string };

export type DockerRegistry = {
  /** `localhost:<port>`. */
  readonly name: string;
  /** Lines of its access log: one a request. */
  requests(): string[];
};

const PATH = process.env.PATH ?? '';

export const startDockerRegistry = async (t: Cleanup, login?: Login): Promise<DockerRegistry> => {
  const dir = await makeTmpDir(t);
  const port = await freePort();
  const settings = {
    version: '0.1',
    log: { level: 'info' },
    storage: { filesystem: { rootdirectory: join(dir, 'data') } },
    http: { addr: `127.0.0.1:${port}` },
    ...(login === undefined ? {} : { auth: { htpasswd: { realm: 'test', path: join(dir, 'htpasswd') } } }),
  };
  if (login !== undefined) {
    const made = await runProgram(t, 'htpasswd', ['-Bbn', login.user, login.password], { env: { PATH } });
    await writeFile(join(dir, 'htpasswd'), made.stdout);
  }
  // YAML holds JSON.
  await writeFile(join(dir, 'config.yml'), JSON.stringify(settings));
  const program = startProgram(t, 'docker-registry', ['serve', join(dir, 'config.yml')], { env: { PATH } });
  await program.until(/listening on/);
  const text = (): string => `${program.stdout()}\n${program.stderr()}`;
  return {
    name: `localhost:${port}`,
    requests: () =>
      [...text().matchAll(/"((?:GET|HEAD|POST|PUT|PATCH) \/v2\/\S*) HTTP\/1\.1" (\d+)/g)].map(
        ([, call, status]) => `${call} ${status}`,
      ),
  };
};
