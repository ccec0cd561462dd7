// The database's tables, as the list of steps that lead to them. Entry n brings a database from version n to n + 1;
// an entry that was released never changes.

export const migrations: readonly string[] = [
  `
  CREATE TABLE namespaces (
    name TEXT NOT NULL PRIMARY KEY,
    labels TEXT NOT NULL,
    annotations TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE functions (
    namespace TEXT NOT NULL REFERENCES namespaces (name) ON DELETE CASCADE,
    name TEXT NOT NULL,
    spec TEXT NOT NULL,
    replicas INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    called_at_ms INTEGER NOT NULL,
    PRIMARY KEY (namespace, name)
  ) STRICT;

  CREATE TABLE secrets (
    namespace TEXT NOT NULL REFERENCES namespaces (name) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (namespace, name)
  ) STRICT;

  CREATE TABLE recent_images (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    UNIQUE (namespace, name, digest),
    FOREIGN KEY (namespace, name) REFERENCES functions (namespace, name) ON DELETE CASCADE
  ) STRICT;
  `,
];
