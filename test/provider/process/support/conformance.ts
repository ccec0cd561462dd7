// The embedded provider as a subject of the conformance suite.
import type { ProcessProviderOptions } from '../../../../provider/process/index.ts';
import type { Provider } from '../../../../provider/provider.ts';
import { putKind } from '../../../conformance/kinds.ts';
import type { MakeSubject } from '../../../conformance/provider.ts';
import { makePlace } from './make-provider.ts';

export const makeSubject =
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
