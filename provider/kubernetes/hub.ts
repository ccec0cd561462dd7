// Passes the provider's events on to everybody who watches it.
import type { Endpoint, FunctionReport, ProviderObserver } from '../provider.ts';
import type { FunctionRef } from '../types/name.ts';
import type { Log } from './options.ts';

export interface Hub {
  functionChanged(report: FunctionReport): void;
  functionRemoved(ref: FunctionRef): void;
  endpointReady(ref: FunctionRef, endpoint: Endpoint): void;
  endpointGone(ref: FunctionRef, endpointId: string): void;
  /** Replays what is there to the newcomer, then keeps it up to date. */
  watch(observer: ProviderObserver, present: Iterable<{ report: FunctionReport; endpoints: readonly Endpoint[] }>): void;
}

export const createHub = (log: Log): Hub => {
  const observers: ProviderObserver[] = [];

  const tell = (event: string, call: (observer: ProviderObserver) => unknown): void => {
    for (const observer of observers) {
      try {
        // Kubernetes stops pods in its own time: nobody waits for the calls of an endpoint to end.
        Promise.resolve(call(observer)).catch((error) => log.error({ err: error, event }, 'an observer of the provider failed'));
      } catch (error) {
        log.error({ err: error, event }, 'an observer of the provider failed');
      }
    }
  };

  return {
    functionChanged: (report) => tell('functionChanged', (observer) => observer.functionChanged(report)),
    functionRemoved: (ref) => tell('functionRemoved', (observer) => observer.functionRemoved(ref)),
    endpointReady: (ref, endpoint) => tell('endpointReady', (observer) => observer.endpointReady(ref, endpoint)),
    endpointGone: (ref, endpointId) => tell('endpointGone', (observer) => observer.endpointGone(ref, endpointId)),
    watch: (observer, present) => {
      for (const { report, endpoints } of present) {
        observer.functionChanged(report);
        for (const endpoint of endpoints) observer.endpointReady(report.ref, endpoint);
      }
      observer.synced();
      observers.push(observer);
    },
  };
};
