// One measurement of one server under full load: as many calls as N connections can make.

export type Shape = {
  /** `http://127.0.0.1:1234/path` */
  readonly url: string;
  readonly method: 'GET' | 'POST';
  /** Sent as text/plain; only with POST. */
  readonly bodyBytes: number;
  readonly connections: number;
  readonly durationMs: number;
  /** A connection of its own for every call. */
  readonly fresh?: boolean;
};

export type Measurement = {
  readonly calls: number;
  readonly callsPerS: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than 200, and connections that broke. */
  readonly failures: number;
};

export type Generator = { readonly name: string; measure(shape: Shape): Promise<Measurement> };
