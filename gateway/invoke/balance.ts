// Chooses the endpoint of a call: the less busy of two random ones, which keeps the longest queue short without looking at all.
import type { EndpointState } from './endpoint.ts';

/** The least busy endpoint that has fewer calls than `limit`. */
const findRoom = (endpoints: readonly EndpointState[], limit: number): EndpointState | undefined => {
  let best: EndpointState | undefined;
  for (const each of endpoints) if (each.inFlight < (best?.inFlight ?? limit)) best = each;
  return best;
};

/**
 * `undefined` when there is none with fewer calls than `limit`. As `pickEndpoint`.
 * @param limit calls that an endpoint may have at once; 0 for any number
 */
export const pickWithRoom = (
  endpoints: readonly EndpointState[],
  random: () => number,
  except: EndpointState | undefined,
  limit: number,
): EndpointState | undefined => {
  const chosen = pickEndpoint(endpoints, random, except);
  return limit === 0 || chosen === undefined || chosen.inFlight < limit ? chosen : findRoom(endpoints, limit);
};

/**
 * @param random in [0, 1), as Math.random
 * @param except an endpoint that is not to be chosen, unless there is no other
 */
export const pickEndpoint = (
  endpoints: readonly EndpointState[],
  random: () => number,
  except?: EndpointState,
): EndpointState | undefined => {
  const count = endpoints.length;
  if (count <= 1) return endpoints[0];
  if (except !== undefined) {
    const others = endpoints.filter((each) => each !== except);
    return pickEndpoint(others.length === 0 ? endpoints : others, random);
  }
  const first = Math.floor(random() * count);
  let second = Math.floor(random() * (count - 1));
  if (second >= first) second += 1;
  const a = endpoints[first] as EndpointState;
  const b = endpoints[second] as EndpointState;
  return b.inFlight < a.inFlight ? b : a;
};
