// POST /system/scale-function/{name}: any number of replicas, 0 included. OpenFaaS contract, 1.6.
import type { Provider } from '../../provider/provider.ts';
import { formatRef } from '../../provider/types/name.ts';
import { ScaleRequest } from '../../provider/types/scale.ts';
import { parse } from '../../provider/types/validate.ts';
import { sendEmpty } from '../http/json-response.ts';
import type { Route } from '../http/route.ts';

type Parts = { readonly provider: Provider; readonly scaled: (key: string, cause: 'api') => void };

export const scaleFunction =
  ({ provider, scaled }: Parts): Route['run'] =>
  async ({ res, name, namespace, body }) => {
    const { replicas } = parse(ScaleRequest, body);
    await provider.scale({ name, namespace }, replicas);
    scaled(formatRef({ name, namespace }), 'api');
    sendEmpty(res, 202);
  };
