// The flags of `build`, `push` and `up` that concern images, and what is made of them.
import { type Command, Option } from 'commander';
import { FaasError } from '../../provider/types/errors.ts';
import { type Platform, parsePlatform } from '../build/oci/media-types.ts';
import type { Context } from '../context.ts';

export type ImageOptions = { readonly baseImage?: string; readonly platforms?: string };
export type PackagingOption = { readonly packaging?: 'bundle' | 'image' };

export const imageOptions = (command: Command): Command =>
  command
    .option('--base-image <image>', 'image: build on this one, oci:<layout> or scratch (else $SLUICE_BASE_IMAGE, the template)')
    .option('--platforms <list>', "image: such as linux/amd64,linux/arm64 (else this machine's)");

export const packagingOption = (command: Command, otherwise: string): Command =>
  command.addOption(new Option('--packaging <kind>', `make bundles or images (else ${otherwise})`).choices(['bundle', 'image']));

/** @throws invalid */
export const readPlatforms = ({ platforms }: ImageOptions): Platform[] =>
  (platforms ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
    .map(parsePlatform);

/**
 * --base-image, SLUICE_BASE_IMAGE_<LANG>, SLUICE_BASE_IMAGE, `sluice.base_image` of the template.
 * @param lang name of the template
 * @throws invalid when none is set
 */
export const pickBaseImage = (ctx: Context, options: ImageOptions, lang: string, preset: string | undefined): string => {
  const variable = `SLUICE_BASE_IMAGE_${lang.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
  const found = options.baseImage || ctx.env[variable] || ctx.env.SLUICE_BASE_IMAGE || preset;
  if (found) return found;
  throw new FaasError('invalid', `base image: template ${lang} names none: set --base-image, ${variable} or SLUICE_BASE_IMAGE`);
};
