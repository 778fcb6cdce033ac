import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const DAY_MS = 86_400_000;
const CUSTOMERS = 800;
const MONTHS = 14;
const SEED = 20;

/** Small and fast 32-bit generator (mulberry32), so that everybody gets the same customers. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const iso = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;
const clamp = (x: number, low: number, high: number) => Math.min(high, Math.max(low, x));

/**
 * Made-up customers of a music service who renew every 30 days, up to `until`: usage falls some weeks before most
 * cancellations, so there is something to learn, and chance enough that nobody can know. Three CSV files.
 */
export function makeData(folder: string, until: number): void {
  const next = random(SEED);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(next() * values.length)] as T;
  const start = until - MONTHS * 30 * DAY_MS;
  const customers = ["customer_id,plan,country"];
  const usage = ["customer_id,played_at,minutes"];
  const renewals = ["renewal_id,customer_id,announced_at,due_at,decided_at,amount,cancelled"];
  for (let i = 0; i < CUSTOMERS; i++) {
    const id = `C${String(i).padStart(4, "0")}`;
    const plan = pick(["student", "single", "single", "family"]);
    customers.push(`${id},${plan},${pick(["NO", "DE", "FR", "PT"])}`);
    let due = start + Math.floor(next() * 30) * DAY_MS + Math.floor(next() * 24) * 3_600_000;
    let habit = 10 + next() * 80;
    let previous = due - 30 * DAY_MS;
    for (let month = 0; due <= until; month++) {
      habit = clamp(habit * (0.75 + next() * 0.5), 1, 150);
      for (let at = previous; at < due; at += (0.7 + next() * 4) * DAY_MS) {
        usage.push(`${id},${iso(at)},${(habit * (0.4 + next() * 1.2)).toFixed(1)}`);
      }
      const odds = -0.6 - habit / 18 + (plan === "student" ? 0.5 : 0) + (month < 2 ? 0.4 : 0);
      const cancelled = next() < 1 / (1 + Math.exp(-odds));
      renewals.push(
        `${id}-${month},${id},${iso(due - 30 * DAY_MS)},${iso(due)},${iso(due + 6 * 3_600_000)},${plan === "family" ? 15.99 : 9.99},${cancelled}`,
      );
      previous = due;
      due += 30 * DAY_MS;
      if (cancelled) {
        // Some come back later, with another habit.
        due += (30 + Math.floor(next() * 60)) * DAY_MS;
        previous = due - 10 * DAY_MS;
        habit = 10 + next() * 80;
      }
    }
  }
  mkdirSync(folder, { recursive: true });
  for (const [name, lines] of Object.entries({ customers, usage, renewals }))
    writeFileSync(join(folder, `${name}.csv`), `${lines.join("\n")}\n`);
}
