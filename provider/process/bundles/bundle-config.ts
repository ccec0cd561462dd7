// Reads the configuration of a bundle and says whether it fits this machine.
import type { BundleConfig } from '../../types/bundle.ts';
import { bundleConfigFile, BundleConfig as Schema } from '../../types/bundle.ts';
import { FaasError } from '../../types/errors.ts';
import { parse } from '../../types/validate.ts';

/** What runs functions here: `<os>-<arch>` and Node's module version. */
export type Machine = { readonly platform: string; readonly abi: string };

export const maxConfigBytes = 1024 * 1024;

const isInside = (path: string): boolean => !path.startsWith('/') && !path.includes('\0') && !path.split('/').includes('..');

/** @throws invalid naming every bad field */
export const parseBundleConfig = (text: string): BundleConfig => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FaasError('invalid', `${bundleConfigFile}: expected JSON: ${(error as Error).message}`);
  }
  const config = parse(Schema, value, bundleConfigFile);
  const { mode, handler } = config;
  if (mode === 'inproc' && handler === undefined) {
    throw new FaasError('invalid', 'handler: expected the path of a module, as mode inproc needs one, got nothing');
  }
  if (handler !== undefined && !isInside(handler)) {
    throw new FaasError('invalid', `handler: expected a path inside the bundle, got ${JSON.stringify(handler)}`);
  }
  return config;
};

/** @throws invalid when the bundle holds native code for something else */
export const checkFits = ({ platform, abi }: BundleConfig, machine: Machine): void => {
  const differs = (field: string, here: string, got: string): FaasError =>
    new FaasError(
      'invalid',
      `${field}: expected ${here}, which this gateway runs on, got ${got}; build the function again for this platform`,
    );
  if (platform !== undefined && platform !== machine.platform) throw differs('platform', machine.platform, platform);
  if (abi !== undefined && abi !== machine.abi) throw differs('abi', machine.abi, abi);
};
