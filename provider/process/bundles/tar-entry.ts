// Decides what an entry of a bundle's tar may be and where it lands. Pure: the rules that keep an archive inside its
// directory are all here.
import { FaasError } from '../../types/errors.ts';

/** What these rules read of a tar header. */
export type TarHeader = {
  readonly name: string;
  readonly type?: string | null | undefined;
  readonly mode?: number | undefined;
  readonly size?: number | undefined;
  readonly linkname?: string | null | undefined;
};

export type TarEntry =
  | { readonly kind: 'file'; readonly path: string; readonly mode: 0o644 | 0o755 }
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string };

type Kind = TarEntry['kind'] | 'implied';

const refuse = (name: string, why: string): FaasError =>
  new FaasError('invalid', `bundle: entry ${JSON.stringify(name)}: ${why}`);

const splitPath = (name: string): string[] => {
  const parts = name.replace(/^\.\//, '').replace(/\/$/, '').split('/');
  const isPlain = parts.every((part) => part !== '' && part !== '.' && part !== '..' && Buffer.byteLength(part) <= 255);
  if (isPlain && !name.includes('\0')) return parts;
  throw refuse(name, 'expected a relative path without empty, . or .. parts, and none over 255 bytes');
};

/**
 * Why `..` may stand in front only: there it climbs real directories, which can be counted. After another link it would
 * climb from wherever that one leads.
 */
const checkTarget = (name: string, depth: number, target: string): void => {
  const parts = target.split('/');
  const climbs = parts.findIndex((part) => part !== '..');
  const up = climbs === -1 ? parts.length : climbs;
  const isInside = target !== '' && !target.startsWith('/') && !target.includes('\0') && up <= depth;
  if (isInside && !parts.slice(up).includes('..')) return;
  throw refuse(name, `expected a symbolic link to a place inside the bundle, got one to ${JSON.stringify(target)}`);
};

const toEntry = (header: TarHeader, parts: readonly string[]): TarEntry => {
  const path = parts.join('/');
  switch (header.type ?? 'unknown') {
    case 'file':
      return { kind: 'file', path, mode: ((header.mode ?? 0) & 0o100) === 0 ? 0o644 : 0o755 };
    case 'directory':
      return { kind: 'directory', path };
    case 'symlink':
      checkTarget(header.name, parts.length - 1, header.linkname ?? '');
      return { kind: 'symlink', path, target: header.linkname ?? '' };
    default:
      throw refuse(
        header.name,
        `expected a file, a directory or a symbolic link, got a ${header.type ?? 'thing of unknown type'}`,
      );
  }
};

/**
 * The rules for one archive, header by header in its order.
 * @throws invalid for an entry that is no file, directory or symbolic link, leaves the bundle, comes twice, or lies below
 *   something that is no directory
 */
export const createTarRules = (): ((header: TarHeader) => TarEntry) => {
  const seen = new Map<string, Kind>();
  return (header) => {
    const parts = splitPath(header.name);
    const entry = toEntry(header, parts);
    if (entry.kind !== 'file' && (header.size ?? 0) !== 0) throw refuse(header.name, 'expected content in files only');
    for (let length = 1; length < parts.length; length += 1) {
      const parent = parts.slice(0, length).join('/');
      const kind = seen.get(parent);
      if (kind === undefined) seen.set(parent, 'implied');
      else if (kind === 'file' || kind === 'symlink')
        throw refuse(header.name, `lies below the ${kind} ${JSON.stringify(parent)}`);
    }
    const before = seen.get(entry.path);
    if (before !== undefined && !(before === 'implied' && entry.kind === 'directory')) throw refuse(header.name, 'comes twice');
    seen.set(entry.path, entry.kind);
    return entry;
  };
};
