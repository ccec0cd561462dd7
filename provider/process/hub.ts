// Passes the provider's events on to everybody who watches it.
import type { Endpoint, FunctionReport, ProviderObserver } from '../provider.ts';
import type { FunctionRef } from '../types/name.ts';
import type { Log } from './log.ts';

/** What a function tells about itself. */
export interface FunctionEvents {
  functionChanged(report: FunctionReport): void;
  functionRemoved(ref: FunctionRef): void;
  endpointReady(ref: FunctionRef, endpoint: Endpoint): void;
  /** Resolves when no observer has calls left there. */
  endpointGone(ref: FunctionRef, endpointId: string): Promise<void>;
}

export interface Hub extends FunctionEvents {
  /** Replays what is there to the newcomer, then keeps it up to date. */
  watch(observer: ProviderObserver, now: Iterable<{ report: FunctionReport; endpoints: readonly Endpoint[] }>): void;
}

export const createHub = (log: Log): Hub => {
  const observers: ProviderObserver[] = [];

  /** A bug in one observer is not to stop a function for all the others. */
  const tell = (what: string, call: (observer: ProviderObserver) => void): void => {
    for (const observer of observers) {
      try {
        call(observer);
      } catch (error) {
        log.error({ err: error, event: what }, 'an observer of the provider failed');
      }
    }
  };

  return {
    functionChanged: (report) => tell('functionChanged', (observer) => observer.functionChanged(report)),
    functionRemoved: (ref) => tell('functionRemoved', (observer) => observer.functionRemoved(ref)),
    endpointReady: (ref, endpoint) => tell('endpointReady', (observer) => observer.endpointReady(ref, endpoint)),
    endpointGone: async (ref, endpointId) => {
      const waits: Promise<void>[] = [];
      tell('endpointGone', (observer) => void waits.push(observer.endpointGone(ref, endpointId)));
      await Promise.allSettled(waits);
    },
    watch: (observer, now) => {
      for (const { report, endpoints } of now) {
        observer.functionChanged(report);
        for (const endpoint of endpoints) observer.endpointReady(report.ref, endpoint);
      }
      observer.synced();
      observers.push(observer);
    },
  };
};
