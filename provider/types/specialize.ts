// The private contract between a provider and a blank watchdog: what the watchdog is told, once, over HTTP on its own
// socket. Imports nothing: the watchdog uses it.

export const specializePath = '/_/specialize';

/**
 * Body of `POST /_/specialize`, with `Authorization: Bearer <token>`. The token comes to the watchdog in the
 * environment variable `SLUICE_TOKEN`, which it deletes before anything else runs.
 *
 * Answers: 200 once the function answers calls; 401 wrong token; 409 already specialised; 500 with a `SpecializeFailure`
 * as JSON when the function cannot be loaded, after which the watchdog exits.
 */
export type Specialization = {
  readonly name: string;
  readonly namespace: string;
  /** Directory of the unpacked bundle: working directory of the function. */
  readonly root: string;
  readonly mode: 'inproc' | 'http' | 'streaming' | 'serializing' | 'static';
  /** inproc: path of the module, relative to `root`. */
  readonly handler?: string | undefined;
  /** The function's whole environment, watchdog settings (`exec_timeout`, `fprocess`, …) included. */
  readonly environment: Readonly<Record<string, string>>;
  /** Become this user and group before any code of the function runs. Needs root. */
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
};

export type SpecializeFailure = {
  /** `LoadFailed`: the handler could not be loaded. `NeverReady`: the process did not begin to listen. `Exited`. `Invalid`. */
  readonly reason: string;
  readonly message: string;
};
