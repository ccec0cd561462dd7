// What every provider must do: provider/provider.ts and the OpenFaaS contract at the level of a provider. A provider's test
// calls this once with a way to make one; titles carry the numbers of the contract's facts.
import { bundleConformance } from './parts/bundles.ts';
import { callConformance } from './parts/calls.ts';
import { deployConformance } from './parts/deploy.ts';
import { failureConformance } from './parts/failures.ts';
import { logConformance } from './parts/logs.ts';
import { namespaceConformance } from './parts/namespaces.ts';
import { restartConformance } from './parts/restart.ts';
import { scaleConformance } from './parts/scale.ts';
import { secretConformance } from './parts/secrets.ts';
import { updateConformance } from './parts/update.ts';
import { watchConformance } from './parts/watch.ts';
import type { MakeSubject } from './subject.ts';

export type { MakeSubject, Subject } from './subject.ts';

/** @param takesBundles false for a provider that runs images */
export const providerConformance = (name: string, make: MakeSubject, { takesBundles = true } = {}): void => {
  for (const part of [
    deployConformance,
    watchConformance,
    callConformance,
    updateConformance,
    scaleConformance,
    failureConformance,
    secretConformance,
    namespaceConformance,
    logConformance,
    ...(takesBundles ? [bundleConformance] : []),
    restartConformance,
  ]) {
    part(name, make);
  }
};
