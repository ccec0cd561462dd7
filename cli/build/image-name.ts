// The image name of a build from the stack's `image` and `--tag` (OpenFaaS: short commit, branch, describe, digest).
// Pure: what git and the file system know comes in as `facts`.
import { FaasError } from '../../provider/types/errors.ts';

const tagModes = ['latest', 'sha', 'branch', 'describe', 'digest'] as const;
export type TagMode = (typeof tagModes)[number];

/** What a tag mode needs to know, asked for only when it does. */
export interface ImageFacts {
  /** Short commit id. @throws invalid outside a git repository */
  commit(): Promise<string>;
  /** Abbreviated name of the checked-out branch. @throws invalid outside a git repository */
  branch(): Promise<string>;
  /** `git describe --tags --always`. @throws invalid outside a git repository */
  describe(): Promise<string>;
  /** 32 hexadecimal digits over the handler's files. */
  handlerDigest(): Promise<string>;
}

const repository =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d+)?\/)?[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*$/;
const tagText = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/** @throws invalid for a value that is no tag mode; `default` and nothing mean latest, case does not matter */
export const parseTagMode = (text: string | undefined): TagMode => {
  const lower = (text ?? '').toLowerCase();
  if (lower === '' || lower === 'default') return 'latest';
  const mode = tagModes.find((each) => each === lower);
  if (mode !== undefined) return mode;
  throw new FaasError('invalid', `--tag: expected one of ${tagModes.join(', ')}, got ${JSON.stringify(text)}`);
};

/** `registry:5000/name:tag` in its parts; the tag is `latest` when there is none. @throws invalid */
export const splitImage = (image: string): { readonly name: string; readonly tag: string } => {
  if (image.includes('@')) {
    throw new FaasError(
      'invalid',
      `image: expected name[:tag] without a digest, which the build adds, got ${JSON.stringify(image)}`,
    );
  }
  const colon = image.lastIndexOf(':');
  const hasTag = colon > image.lastIndexOf('/');
  const name = hasTag ? image.slice(0, colon) : image;
  const tag = hasTag ? image.slice(colon + 1) : 'latest';
  if (!repository.test(name)) {
    throw new FaasError(
      'invalid',
      `image: expected a lower-case name such as registry/team/name:tag, got ${JSON.stringify(image)}`,
    );
  }
  return { name, tag: checkTag(tag, image) };
};

const checkTag = (tag: string, image: string): string => {
  if (tagText.test(tag)) return tag;
  throw new FaasError(
    'invalid',
    `image: expected a tag of at most 128 letters, digits, dots, dashes and underscores, got ${JSON.stringify(tag)} for ${image}`,
  );
};

// A branch may be called feature/x+y; a tag may not.
const asTag = (text: string): string => text.replace(/[^A-Za-z0-9_.-]+/g, '-');

/** `name:tag` for a build. @throws invalid for a malformed image, an unknown tag mode, or git facts that are not there */
export const imageName = async (image: string, tag: string | undefined, facts: ImageFacts): Promise<string> => {
  const base = splitImage(image);
  const named = (suffix: string): string => `${base.name}:${checkTag(`${base.tag}-${asTag(suffix)}`, image)}`;
  const mode = parseTagMode(tag);
  switch (mode) {
    case 'latest':
      return `${base.name}:${base.tag}`;
    case 'sha':
      return named(await facts.commit());
    case 'branch':
      return named(`${await facts.branch()}-${await facts.commit()}`);
    case 'describe':
      return named(await facts.describe());
    case 'digest':
      return `${base.name}:${await facts.handlerDigest()}`;
  }
};
