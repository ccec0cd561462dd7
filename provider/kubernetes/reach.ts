// How calls get to pods: by the pods' own addresses, or, where this machine has no route to them, through the API server.
import { createServer, type Server, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Pod } from './objects.ts';
import type { Log, Reach } from './options.ts';
import type { Probe } from './probe.ts';

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

type Tunnel = { readonly server: Server; readonly port: Promise<number> };

const openTunnel = (config: KubeConfig, { metadata }: Pod, log: Log): Tunnel => {
  const connect = async (socket: Socket): Promise<void> => {
    const { PortForward } = await import('@kubernetes/client-node');
    const refusals = new Writable({
      write(chunk: Buffer, _encoding, done) {
        // The first message of the stream has only told its port.
        if (chunk.length === 0) return done();
        log.debug({ pod: metadata.name, err: chunk.toString() }, 'a tunnel to a pod was refused');
        socket.destroy();
        done();
      },
    });
    const forward = new PortForward(config);
    const opened = await forward.portForward(metadata.namespace ?? '', metadata.name, [functionPort], socket, refusals, socket);
    const tunnel = typeof opened === 'function' ? opened() : opened;
    tunnel?.on('close', () => socket.destroy());
    socket.on('close', () => tunnel?.close());
  };
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    connect(socket).catch((error) => {
      log.debug({ pod: metadata.name, err: error }, 'a tunnel to a pod could not be opened');
      socket.destroy();
    });
  });
  const port = new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  return { server, port };
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

  /** Any answer, a refusal too, comes by a route. */
  const judge = (kind: 'ready' | 'refused' | 'silent'): void => {
    if (answered || tunnelled) return;
    if (kind !== 'silent') answered = true;
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
      if (!signal.aborted) judge(result.kind);
      return result;
    },
    async routeTo(pod, address) {
      if (!tunnelled) return { host: address, port: functionPort };
      const key = pod.metadata.uid ?? pod.metadata.name;
      const tunnel = tunnels.get(key) ?? openTunnel(config, pod, log);
      tunnels.set(key, tunnel);
      return { host: '127.0.0.1', port: await tunnel.port };
    },
    release({ metadata }) {
      const key = metadata.uid ?? metadata.name;
      tunnels.get(key)?.server.close();
      tunnels.delete(key);
    },
  };
};
