// How calls get to pods: by the pods' own addresses, or, where this machine has no route to them, through the API server.
import type { KubeConfig } from '@kubernetes/client-node';
import type { Pod } from './objects.ts';
import type { Log, Reach } from './options.ts';
import type { Probe, ProbeResult } from './probe.ts';
import { openTunnel, type Tunnel } from './tunnel.ts';

/** Where a pod is reached: its own address, or this end of a tunnel to it. */
export type Route = { readonly host: string; readonly port: number };

export type PodReach = {
  readonly probe: Probe;
  routeTo(pod: Pod, address: string): Promise<Route>;
  /** The pod gets no new connections; those it has go on. */
  release(pod: Pod): void;
};

const functionPort = 8080;

/** Probes without any answer, and none ever answered, after which there is no route. */
const silentProbes = 3;

export type ReachParts = {
  readonly mode: Reach;
  readonly inside: boolean;
  readonly config: KubeConfig;
  readonly probe: Probe;
  readonly log: Log;
};

export const createReach = ({ mode, inside, config, probe, log }: ReachParts): PodReach => {
  const tunnels = new Map<string, Tunnel>();
  let tunnelled = mode === 'tunnel';
  let answered = mode === 'direct' || inside;
  let silent = 0;

  const warn = (): void => {
    log.warn(
      {},
      'calls go through the API server, slowly: this machine has no route to pods; run the gateway inside the cluster',
    );
  };
  if (tunnelled) warn();

  /** Any answer comes by a route, a refusal and a connection that is taken too. */
  const judge = (result: ProbeResult): void => {
    if (answered || tunnelled) return;
    if (result.kind !== 'silent' || result.reached) answered = true;
    else {
      silent += 1;
      if (silent < silentProbes) return;
      tunnelled = true;
      warn();
    }
  };

  return {
    async probe(target, signal) {
      const result = await probe(target, signal);
      if (!signal.aborted) judge(result);
      return result;
    },
    async routeTo(pod, address) {
      if (!tunnelled) return { host: address, port: functionPort };
      const key = pod.metadata.uid ?? pod.metadata.name;
      const tunnel = tunnels.get(key) ?? openTunnel({ config, pod, targetPort: functionPort, log });
      tunnels.set(key, tunnel);
      return { host: '127.0.0.1', port: await tunnel.port };
    },
    release({ metadata }) {
      const key = metadata.uid ?? metadata.name;
      tunnels.get(key)?.close();
      tunnels.delete(key);
    },
  };
};
