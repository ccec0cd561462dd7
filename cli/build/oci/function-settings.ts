// How an image runs its function: what `sluice.json` says, as environment of a watchdog that is started alone. Pure.
import type { BundleConfig } from '../../../provider/types/bundle.ts';
import { FaasError } from '../../../provider/types/errors.ts';
import { bundleRoot } from './bundle-layer.ts';
import type { ImageSettings } from './compose.ts';
import { formatPlatform, type Platform } from './media-types.ts';
import { launcher, runtimeDir } from './runtime-layer.ts';
import type { ScratchKind } from './scratch-base.ts';

export type FunctionImage = {
  readonly name: string;
  readonly config: BundleConfig;
  /** sha256 of the bundle. */
  readonly digest: string;
  readonly labels: Readonly<Record<string, string>>;
};

/** A number, so that a cluster can see that it is not root. */
const user = '1000:1000';
const port = 8080;
/** A replica that is told to stop goes on serving for so long: by then everybody who calls it has heard of it. */
const stopDelay = '5s';

export const toSettings = (fn: FunctionImage, more: Readonly<Record<string, string>>): ImageSettings => {
  const { config } = fn;
  return {
    environment: {
      HOME: bundleRoot,
      healthcheck_interval: stopDelay,
      ...more,
      ...config.environment,
      mode: config.mode,
      ...(config.handler === undefined ? {} : { handler: config.handler }),
      ...(config.fprocess === undefined ? {} : { fprocess: config.fprocess }),
    },
    path: [`/${runtimeDir}/bin`],
    entrypoint: [launcher],
    workdir: bundleRoot,
    user,
    port,
    labels: { 'sluice.dev/bundle': `sha256:${fn.digest}`, 'sluice.dev/language': config.language, ...fn.labels },
  };
};

const nodeNames: Readonly<Record<string, string>> = { amd64: 'x64', '386': 'ia32' };

/** @throws invalid when the bundle holds native code of another platform */
export const checkPlatform = ({ name, config }: FunctionImage, platform: Platform): void => {
  const own = `${platform.os}-${nodeNames[platform.architecture] ?? platform.architecture}`;
  if (config.platform === undefined || config.platform === own) return;
  throw new FaasError(
    'invalid',
    `${name}: holds native code for ${config.platform} and cannot become an image for ${formatPlatform(platform)}; build it there`,
  );
};

/** Which base from scratch has the interpreter. @throws invalid when none has */
export const scratchKindOf = ({ name, config }: FunctionImage): ScratchKind => {
  const program = (config.fprocess ?? 'node').split(' ', 1)[0] ?? '';
  if (config.mode === 'inproc' || config.mode === 'static' || program === 'node') return 'node';
  if (program === 'python3') return 'python3';
  if (program === 'bash' || program === 'sh') return 'bash';
  throw new FaasError('invalid', `${name}: a base from scratch has no ${program}; name an image that has it with --base-image`);
};
