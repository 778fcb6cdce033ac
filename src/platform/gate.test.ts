import { expect, test } from "vitest";
import { Gate } from "./gate.ts";

const said: string[] = [];
const work = (name: string) => {
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  return {
    run: async () => {
      said.push(`${name} begins`);
      await ended;
      said.push(`${name} ends`);
      return name;
    },
    end,
  };
};
const turns = () => new Promise((resolve) => setTimeout(resolve, 5));

test("what must be alone waits for all that has begun, and whatever comes after waits for it", async () => {
  said.length = 0;
  const gate = new Gate();
  const [one, two, alone, other, later] = ["one", "two", "alone", "other", "later"].map(work);
  const all = [gate.shared(one.run), gate.shared(two.run), gate.alone(alone.run), gate.alone(other.run), gate.shared(later.run)];
  await turns();
  expect(said).toEqual(["one begins", "two begins"]);
  one.end();
  await turns();
  expect(said).not.toContain("alone begins");
  for (const each of [two, alone]) {
    each.end();
    await turns();
  }
  expect(said.slice(2)).toEqual(["one ends", "two ends", "alone begins", "alone ends", "other begins"]);
  other.end();
  later.end();
  expect(await Promise.all(all)).toEqual(["one", "two", "alone", "other", "later"]);
  expect(said.slice(-2)).toEqual(["later begins", "later ends"]);
});

test("a failure is told to who asked, and holds up nobody", async () => {
  const gate = new Gate();
  const fails = () => Promise.reject(new Error("no"));
  await expect(gate.shared(fails)).rejects.toThrow("no");
  await expect(gate.alone(fails)).rejects.toThrow("no");
  expect(await gate.shared(async () => 1)).toBe(1);
  expect(await gate.alone(async () => 2)).toBe(2);
});
