// Which replicas to start and to stop, so that the wanted revision answers before an old one goes.

/** `Id` is whatever the caller knows a replica by. */
export type ReplicaFact<Id = string> = {
  readonly id: Id;
  readonly revision: string;
  readonly state: 'starting' | 'ready';
  readonly startedAtMs: number;
};

export type Wish = {
  /** Revision that should run. */
  readonly revision: string;
  readonly desired: number;
  /** False during a back-off. */
  readonly mayStart: boolean;
};

export type Moves<Id> = { readonly start: number; readonly stop: readonly Id[] };

const newestFirst = (a: ReplicaFact<unknown>, b: ReplicaFact<unknown>): number => b.startedAtMs - a.startedAtMs;

/**
 * Old replicas stay while the wanted revision has fewer ready ones than desired: an update to a version that does not
 * start leaves the old one serving. Replicas of a revision that was replaced before they were ready go at once.
 */
export const reconcile = <Id>(wish: Wish, replicas: readonly ReplicaFact<Id>[]): Moves<Id> => {
  const wanted = replicas.filter((replica) => replica.revision === wish.revision);
  const ready = wanted.filter((replica) => replica.state === 'ready').sort(newestFirst);
  const starting = wanted.filter((replica) => replica.state === 'starting').sort(newestFirst);
  const surplus = [...starting, ...ready].slice(0, Math.max(0, wanted.length - wish.desired));

  const old = replicas.filter((replica) => replica.revision !== wish.revision);
  const unborn = old.filter((replica) => replica.state === 'starting');
  const serving = old.filter((replica) => replica.state === 'ready').sort(newestFirst);
  const retired = serving.slice(Math.max(0, wish.desired - ready.length));

  return {
    start: wish.mayStart ? Math.max(0, wish.desired - wanted.length) : 0,
    stop: [...surplus, ...unborn, ...retired].map((replica) => replica.id),
  };
};
