// Logins to registries, as `docker login` leaves them: in docker's config.json, or with a credential helper.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { FaasError } from '../../../provider/types/errors.ts';
import { describeIssues } from '../../../provider/types/validate.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export type Credentials =
  | { readonly kind: 'basic'; readonly user: string; readonly password: string }
  /** What the token service takes instead of a password. */
  | { readonly kind: 'refresh'; readonly token: string };

/** `undefined` where nobody has logged in. */
export type FindCredentials = (registry: string) => Promise<Credentials | undefined>;

const Entry = z.looseObject({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
});
const DockerConfig = z.looseObject({
  auths: z.record(z.string(), Entry).optional(),
  credsStore: z.string().optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
});
type DockerConfig = z.infer<typeof DockerConfig>;

const hubKey = 'https://index.docker.io/v1/';

/** `https://host/v1/` and `host` are the same login. */
const hostOf = (key: string): string => key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');

const isHub = (host: string): boolean => ['docker.io', 'index.docker.io', 'registry-1.docker.io'].includes(host);

/** @throws invalid when the file is not docker's configuration */
const parseDockerConfig = (file: string, source: string): DockerConfig => {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch (error) {
    throw new FaasError('invalid', `${file}: expected JSON: ${(error as Error).message}`, { cause: error });
  }
  const result = DockerConfig.safeParse(value);
  if (result.success) return result.data;
  // The values are secrets: they are not shown.
  throw new FaasError('invalid', `${file}: ${describeIssues(result.error, undefined, 'config.json')}`);
};

/** The login in the file itself. Pure. @throws invalid for an `auth` that is no base64 of user:password */
const credentialsIn = (file: string, config: DockerConfig, registry: string): Credentials | undefined => {
  const wanted = hostOf(registry);
  const same = (key: string): boolean => hostOf(key) === wanted || (isHub(wanted) && isHub(hostOf(key)));
  const [key, entry] = Object.entries(config.auths ?? {}).find(([each]) => same(each)) ?? [];
  if (entry === undefined) return undefined;
  if (entry.identitytoken) return { kind: 'refresh', token: entry.identitytoken };
  if (entry.username !== undefined && entry.password !== undefined) {
    return { kind: 'basic', user: entry.username, password: entry.password };
  }
  if (!entry.auth) return undefined;
  const decoded = Buffer.from(entry.auth, 'base64').toString();
  const colon = decoded.indexOf(':');
  if (colon < 1) throw new FaasError('invalid', `${file}: auths.${key}.auth: expected base64 of user:password`);
  // Some versions of docker end it with NUL bytes.
  return { kind: 'basic', user: decoded.slice(0, colon), password: decoded.slice(colon + 1).replace(/\0+$/, '') };
};

const runHelper = async (program: string, input: string, env: Environment): Promise<{ code: number | null; stdout: string }> => {
  const child = spawn(program, ['get'], { env: { ...env }, stdio: ['pipe', 'pipe', 'ignore'], timeout: 30_000 });
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'ENOENT' ? 'expected to find this program on PATH' : cause.message;
      reject(new FaasError('not-found', `${program}: ${why}; docker's config.json names it as credential helper`, { cause }));
    });
    child.once('close', resolve);
  });
  // A helper that fails at once does not read what it is asked.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [code, stdout] = await Promise.all([closed, text(child.stdout)]);
  return { code, stdout };
};

const HelperAnswer = z.looseObject({ Username: z.string(), Secret: z.string() });

/** @throws upstream when the helper fails otherwise than by not knowing the registry */
const askHelper = async (name: string, registry: string, env: Environment): Promise<Credentials | undefined> => {
  const program = `docker-credential-${name}`;
  if (!/^[\w.-]+$/.test(name))
    throw new FaasError('invalid', `config.json: expected the name of a credential helper, got ${name}`);
  const { code, stdout } = await runHelper(program, isHub(registry) ? hubKey : registry, env);
  if (code !== 0 && /not found/i.test(stdout)) return undefined;
  if (code !== 0) throw new FaasError('upstream', `${program} get: exit code ${code}: ${stdout.trim().slice(0, 200)}`);
  let value: unknown;
  try {
    value = JSON.parse(stdout);
  } catch {
    value = undefined;
  }
  const answer = HelperAnswer.safeParse(value);
  if (!answer.success) throw new FaasError('upstream', `${program} get: expected JSON with Username and Secret`);
  const { Username: user, Secret: secret } = answer.data;
  if (secret === '') return undefined;
  return user === '<token>' ? { kind: 'refresh', token: secret } : { kind: 'basic', user, password: secret };
};

/** Reads $DOCKER_CONFIG/config.json, or the one in the home directory, when it is first asked. */
export const createFindCredentials = (env: Environment, home: string): FindCredentials => {
  const file = join(env.DOCKER_CONFIG || join(home, '.docker'), 'config.json');
  let loaded: Promise<DockerConfig> | undefined;
  const load = async (): Promise<DockerConfig> => {
    const source = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return '{}';
      throw new FaasError('invalid', `${file}: cannot be read: ${error.message}`, { cause: error });
    });
    return parseDockerConfig(file, source);
  };
  return async (registry) => {
    loaded ??= load();
    const config = await loaded;
    const helper = config.credHelpers?.[registry] ?? config.credsStore;
    const told = helper === undefined || helper === '' ? undefined : await askHelper(helper, registry, env);
    return told ?? credentialsIn(file, config, registry);
  };
};
