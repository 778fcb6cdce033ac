const ATTEMPTS = 30;
const WITHIN_MS = 60_000;
const MOST_ADDRESSES = 10_000;

/** Counts wrong tokens by address, so that guessing costs the guesser and not the database. Of bounded size: the oldest count is dropped. */
export function createFailedAttempts(now: () => number = Date.now) {
  const counts = new Map<string, { count: number; readonly until: number }>();
  const current = (address: string) => {
    const found = counts.get(address);
    if (found === undefined || found.until > now()) return found;
    counts.delete(address);
    return undefined;
  };
  return {
    /** Seconds until the address may try again; 0 where it may now. */
    wait(address: string): number {
      const found = current(address);
      return found === undefined || found.count < ATTEMPTS ? 0 : Math.ceil((found.until - now()) / 1_000);
    },
    note(address: string): void {
      const found = current(address);
      if (found !== undefined) {
        found.count += 1;
        return;
      }
      const [oldest] = counts.keys();
      if (counts.size >= MOST_ADDRESSES && oldest !== undefined) counts.delete(oldest);
      counts.set(address, { count: 1, until: now() + WITHIN_MS });
    },
  };
}
