import type { LogEntry } from "./entries.ts";

type Metric = Extract<LogEntry, { kind: "metric" }>;

/** What goes with one request. */
export interface Batch {
  readonly metrics: Omit<Metric, "kind">[];
  readonly params: { readonly key: string; readonly value: string }[];
  readonly tags: { readonly key: string; readonly value: string }[];
}

export const MOST_ENTRIES = 1_000;
const MOST_TEXTS = 100;
/** Of texts; a server takes a request of several times as much. */
const MOST_CHARACTERS = 500_000;

/**
 * How many of the entries, from the first on, may travel together: what differs in kind goes alone, and a tag that is set again or a
 * param that is logged again waits for the next request, so that the order stays what it was.
 */
export function batchSize(entries: readonly LogEntry[]): number {
  const texts = { param: new Set<string>(), tag: new Set<string>() };
  let characters = 0;
  for (const [count, entry] of entries.entries()) {
    if (count === MOST_ENTRIES) return count;
    if (entry.kind === "dataset" || entry.kind === "end") return Math.max(1, count);
    if (entry.kind === "metric") continue;
    const seen = texts[entry.kind];
    characters += entry.value.length;
    const full = seen.size === MOST_TEXTS || seen.has(entry.key) || characters > MOST_CHARACTERS;
    if (full && count > 0) return count;
    seen.add(entry.key);
  }
  return entries.length;
}

export function batchOf(entries: readonly LogEntry[]): Batch {
  const batch: Batch = { metrics: [], params: [], tags: [] };
  for (const entry of entries) {
    if (entry.kind === "metric") {
      const { kind: _, ...metric } = entry;
      batch.metrics.push(metric);
    } else if (entry.kind === "param") batch.params.push({ key: entry.key, value: entry.value });
    else if (entry.kind === "tag") batch.tags.push({ key: entry.key, value: entry.value });
  }
  return batch;
}
