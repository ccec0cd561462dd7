// Names of images in registries. Pure.
import { FaasError } from '../../../provider/types/errors.ts';
import { splitImage } from '../image-name.ts';

export type Reference = {
  /** Host and port as in the name; `docker.io` when it names none. */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  /** `sha256:…`, which wins over the tag. */
  readonly digest: string | undefined;
};

/** A first part is a registry when it could not be a user of Docker Hub. */
const namesRegistry = (part: string): boolean => /[.:]/.test(part) || part === 'localhost';

/** @throws invalid for what is no image name */
export const parseReference = (image: string): Reference => {
  const [name = '', digest, ...more] = image.split('@');
  if (more.length > 0 || (digest !== undefined && !/^sha256:[0-9a-f]{64}$/.test(digest))) {
    throw new FaasError('invalid', `image: expected name[:tag][@sha256:<64 hexadecimal digits>], got ${JSON.stringify(image)}`);
  }
  const { name: path, tag } = splitImage(name);
  const slash = path.indexOf('/');
  const first = slash === -1 ? '' : path.slice(0, slash);
  const isNamed = first !== '' && namesRegistry(first);
  const rest = isNamed ? path.slice(slash + 1) : path;
  const registry = isNamed ? first : 'docker.io';
  const repository = registry === 'docker.io' && !rest.includes('/') ? `library/${rest}` : rest;
  return { registry, repository, tag, digest };
};

export const formatReference = ({ registry, repository, tag, digest }: Reference): string =>
  `${registry}/${repository}:${tag}${digest === undefined ? '' : `@${digest}`}`;

const isLocal = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/.test(host);

/** @param insecure hosts that speak plain HTTP; this machine's own always do */
export const registryUrl = (registry: string, insecure: readonly string[]): string => {
  if (registry === 'docker.io') return 'https://registry-1.docker.io';
  return `${isLocal(registry) || insecure.includes(registry) ? 'http' : 'https'}://${registry}`;
};

/** SLUICE_INSECURE_REGISTRIES, separated by commas. */
export const insecureRegistries = (env: Readonly<Record<string, string | undefined>>): string[] =>
  (env.SLUICE_INSECURE_REGISTRIES ?? '')
    .split(',')
    .map((host) => host.trim())
    .filter((host) => host !== '');
