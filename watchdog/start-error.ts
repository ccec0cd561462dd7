// Why the watchdog cannot start or go on; main.ts turns it into a line on stderr and an exit code, blank.ts into a
// `SpecializeFailure`.

export type FailureReason = 'Invalid' | 'LoadFailed' | 'NeverReady' | 'Exited';

export class StartError extends Error {
  readonly reason: FailureReason;
  readonly exitCode: number;

  constructor(reason: FailureReason, message: string, options: { readonly exitCode?: number; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'StartError';
    this.reason = reason;
    this.exitCode = options.exitCode ?? 1;
  }
}

/** A thrown value of the function as text, with its stack where it has one. */
export const describeThrown = (thrown: unknown): string => {
  if (thrown instanceof Error) return thrown.stack ?? `${thrown.name}: ${thrown.message}`;
  return typeof thrown === 'string' ? thrown : `thrown: ${String(JSON.stringify(thrown) ?? thrown)}`;
};
