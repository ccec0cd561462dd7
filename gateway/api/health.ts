// GET /healthz: may this gateway get calls? OpenFaaS contract, 1.12 and fact 16.
import type { Provider } from '../../provider/provider.ts';
import { FaasError } from '../../provider/types/errors.ts';
import { sendEmpty } from '../http/json-response.ts';
import type { Route } from '../http/route.ts';

/** @param stopping aborted when the gateway is on its way out */
export const showHealth =
  (provider: Provider, stopping: AbortSignal): Route['run'] =>
  ({ res }) => {
    if (stopping.aborted) throw new FaasError('unavailable', 'the gateway is stopping');
    if (!provider.healthy()) throw new FaasError('upstream', 'the provider cannot do its work');
    const staleMs = provider.staleMs?.() ?? 0;
    // Calls go on while the provider has lost sight of its functions, so this gateway stays ready, and says so.
    if (staleMs > 0) res.setHeader('X-Provider-Stale-Seconds', (staleMs / 1000).toFixed(1));
    sendEmpty(res, 200);
  };
