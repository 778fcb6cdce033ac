/**
 * Append-only records that must not slow the answer: `append` returns at once, `flushed` resolves when everything
 * appended so far is on disk. A torn tail after a crash is cut at the last whole record.
 */
export interface EventLog {
  append(record: object): void;
  flushed(): Promise<void>;
  close(): Promise<void>;
}
