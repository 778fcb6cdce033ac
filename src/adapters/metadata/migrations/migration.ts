/** One step forward of the database's format. There is no way back: the backup made before it is. */
export interface Migration {
  /** The format after this migration; migrations count up from 1 without gaps. */
  readonly formatVersion: number;
  /** The oldest format whose program can still read and write the database afterwards. */
  readonly minCompatibleVersion: number;
  /** Statements of SQLite, run in one transaction with those of every other pending migration. */
  readonly sql: string;
}
