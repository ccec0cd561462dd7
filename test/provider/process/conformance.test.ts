import type { ProcessProviderOptions } from '../../../provider/process/index.ts';
import type { Provider } from '../../../provider/provider.ts';
import { putKind } from '../../conformance/kinds.ts';
import { type MakeSubject, providerConformance } from '../../conformance/provider.ts';
import { makePlace } from './support/make-provider.ts';

const make =
  (options: Partial<ProcessProviderOptions>): MakeSubject =>
  async () => {
    const place = await makePlace();
    let provider: Provider = await place.open(options);
    return {
      provider,
      bundleImage: (kind) => {
        const { bundles } = provider;
        if (bundles === undefined) throw new Error('this provider takes bundles');
        return putKind(bundles, kind);
      },
      unknownImage: `nobody:1@sha256:${'0'.repeat(64)}`,
      reopen: async () => {
        await provider.close();
        provider = await place.open(options);
        return provider;
      },
      close: async () => {
        await provider.close();
        await place.remove();
      },
    };
  };

providerConformance('process with a pool of blank watchdogs', make({ poolSize: 2 }));
providerConformance('process without a pool', make({ poolSize: 0 }));
