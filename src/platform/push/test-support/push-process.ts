import { openRoom } from "./payments.ts";

/** Pushes one payment after the other, several at a time, and says the id of each that was acknowledged, until it is killed. */
const [directory = "", round = ""] = process.argv.slice(2);
const room = await openRoom(directory);
let next = 0;
async function pushOn(): Promise<void> {
  for (;;) {
    const id = `${round}-${next++}`;
    const row = { id, user: `u${next % 7}`, amount: 1, at: "2026-03-01T11:30:00Z", seen: "2026-03-01T11:30:00Z" };
    await room.push("payments", [row]);
    // One write: a line is there whole or not at all.
    process.stdout.write(`${id}\n`);
  }
}
await Promise.all(Array.from({ length: 16 }, pushOn));
