import type { Migration } from "./migration.ts";

/** What was erased of whom: the journal of erasures, and hashes of keys that are not taken in again. */
export const erasures: Migration = {
  formatVersion: 3,
  minCompatibleVersion: 2,
  sql: `
CREATE TABLE erasures (
  workspace TEXT NOT NULL, project TEXT NOT NULL, id TEXT NOT NULL, entity TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'done')), salt TEXT NOT NULL, hashes TEXT NOT NULL, keys TEXT,
  blocks INTEGER NOT NULL, actor TEXT NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER, counts TEXT NOT NULL, doomed TEXT NOT NULL,
  PRIMARY KEY (workspace, project, id)
) STRICT, WITHOUT ROWID;
`,
};
