// Counts the operations of the memory provider, and makes those fail that a test wants to fail.
export type Operation =
  | 'deploy'
  | 'update'
  | 'remove'
  | 'scale'
  | 'doze'
  | 'sleep'
  | 'list'
  | 'get'
  | 'logs'
  | 'info'
  | `secrets.${'list' | 'create' | 'update' | 'remove'}`
  | `namespaces.${'list' | 'get' | 'create' | 'update' | 'remove'}`
  | `bundles.${'has' | 'put'}`;

export type Gate = {
  pass(operation: Operation): void;
  failNext(operation: Operation, error: Error): void;
  count(operation: Operation): number;
};

export const createGate = (): Gate => {
  const failures = new Map<Operation, Error[]>();
  const counts = new Map<Operation, number>();
  return {
    pass(operation) {
      counts.set(operation, (counts.get(operation) ?? 0) + 1);
      const error = failures.get(operation)?.shift();
      if (error !== undefined) throw error;
    },
    failNext: (operation, error) => void failures.set(operation, [...(failures.get(operation) ?? []), error]),
    count: (operation) => counts.get(operation) ?? 0,
  };
};
