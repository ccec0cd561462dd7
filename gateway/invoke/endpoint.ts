// A replica as the gateway sees it: where it is, what runs on it, and the connections to it.
import type { Address, Endpoint, StartTimes } from '../../provider/provider.ts';

/** Connections to one endpoint; made by the first call, closed when the endpoint is gone. */
export interface Transport {
  close(): void;
}

export class EndpointState {
  readonly id: string;
  readonly revision: string;
  readonly address: Address;
  readonly start: StartTimes | undefined;
  /** When it became known here, on the clock of `performance.now()`. */
  readonly readyMs = performance.now();
  /** Calls, streams and upgraded connections under way. */
  inFlight = 0;
  /** Answers that have begun: what shows, at no other cost, that it is alive. */
  answers = 0;
  /** It refused or fell silent: it gets no calls while others are there. */
  out = false;
  gone = false;
  transport: Transport | undefined;
  #drained: PromiseWithResolvers<void> | undefined;

  constructor(endpoint: Endpoint) {
    this.id = endpoint.id;
    this.revision = endpoint.revision;
    this.address = endpoint.address;
    this.start = endpoint.start;
  }

  /** Every increment of `inFlight` is undone here. */
  release(): void {
    this.inFlight -= 1;
    if (this.gone && this.inFlight === 0) this.#finish();
  }

  /** No new calls from now on; resolves when the running ones are finished. */
  retire(): Promise<void> {
    if (this.#drained !== undefined) return this.#drained.promise;
    this.gone = true;
    this.#drained = Promise.withResolvers<void>();
    if (this.inFlight === 0) this.#finish();
    return this.#drained.promise;
  }

  #finish(): void {
    this.transport?.close();
    this.transport = undefined;
    this.#drained?.resolve();
  }
}
