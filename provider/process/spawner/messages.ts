// What the gateway and its spawner process tell each other.

export type SpawnRequest = {
  /** Unguessable: it is also how the process's streams are told apart. */
  readonly id: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
};

export type SpawnReply = { readonly id: string } & (
  | { readonly kind: 'started'; readonly pid: number }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'ended'; readonly code: number | null; readonly signal: NodeJS.Signals | null }
);

/** The streams of a process that the gateway holds the other end of: standard output, standard error, control pipe. */
export const streamCount = 3;

/** First line of each stream. */
export const streamHeader = (id: string, stream: number): string => `${id}:${stream}\n`;
