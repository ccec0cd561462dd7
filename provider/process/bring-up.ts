// Takes a blank watchdog and makes it the function, in as few waits as there can be.
import type { Cause } from './failure.ts';
import type { Launched } from './launcher.ts';
import { type Plan, toSpecialization } from './plan.ts';
import type { ReplicaParts } from './replica.ts';
import { writeSecretFile } from './secret-files.ts';
import { specialize } from './specialize.ts';

export type BringUp = {
  readonly plan: Plan;
  readonly launched: Launched;
  readonly signal: AbortSignal;
  /** Called when the function begins to start. */
  readonly onTold: () => void;
};

/** @returns why it does not answer, if it does not */
export const bringUp = async (parts: ReplicaParts, { plan, launched, signal, onTold }: BringUp): Promise<Cause | undefined> => {
  const { child, confinement } = launched;
  const { spec, owner } = plan;
  const unlimited = await confinement.limit(plan.caps);
  if (unlimited !== undefined) {
    return { reason: 'LimitNotSet', message: `the memory limit of ${spec.limits?.memory} could not be set: ${unlimited}` };
  }
  await child.ready;
  if (owner !== undefined) await launched.own(owner);
  for (const name of spec.secrets ?? []) {
    const value = parts.secretValue(name, spec.namespace);
    if (value === undefined)
      return { reason: 'SecretMissing', message: `secret ${JSON.stringify(name)} does not exist any more` };
    writeSecretFile(child.places.secrets, name, value, owner?.gid);
  }
  const specialization = toSpecialization(plan, {
    temporary: child.places.temporary,
    secretsPath: parts.secretsMounted ? undefined : child.places.secrets,
    marker: child.marker,
    basePath: parts.basePath,
    defaultTimeoutMs: parts.defaultTimeoutMs,
  });
  onTold();
  return specialize(child.places.socket, child.token, specialization, signal);
};
