/** An integer of 64 bits as JavaScript has it: a number as long as that is exact, else a bigint. */
export type Integer = number | bigint;

/** The integer that a double and what it lacks make together, both whole. */
export const exactInteger = (near: number, rest: number): Integer =>
  Number.isSafeInteger(near) ? near : shortest(BigInt(near) + BigInt(rest));

/** What the double next to an integer lacks of it. */
export const restOf = (integer: Integer): number => (typeof integer === "bigint" ? Number(integer - BigInt(Number(integer))) : 0);

/** A bigint where only that is exact; undefined where the value is no integer of 64 bits. */
export function integerOf(value: unknown): Integer | undefined {
  if (typeof value === "bigint") return BigInt.asIntN(64, value) === value ? shortest(value) : undefined;
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : undefined;
  return typeof value === "string" && /^-?\d{1,19}$/.test(value) ? integerOf(BigInt(value)) : undefined;
}

const shortest = (integer: bigint): Integer => {
  const near = Number(integer);
  return Number.isSafeInteger(near) ? near : integer;
};
