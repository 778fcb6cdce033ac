import { describe, expect, test } from "vitest";
import { bool, entity, float64, int32, int64, string, timestamp } from "../../core/definitions/index.ts";
import { entityNamed, parseKeys, wireOf } from "./parse-keys.ts";

const every = entity("every", { s: string(), i: int32(), l: int64(), f: float64(), b: bool(), t: timestamp() });
const wire = { s: 'O\'Łüc "7"', i: "-5", l: "9007199254740993", f: "0.1", b: "true", t: "2023-01-01T00:00:00.000001Z" };

describe("keys over the wire", () => {
  test("have the types of the entity's, and go to text and back without loss", () => {
    const parsed = parseKeys(every, [wire]);
    expect(parsed.keys).toEqual([{ s: wire.s, i: -5, l: 9007199254740993n, f: 0.1, b: true, t: 1_672_531_200_000_001 }]);
    expect(parseKeys(every, wireOf(parsed))).toEqual(parsed);
    expect(parseKeys(every, [{ ...wire, i: -5, f: 0.1, b: true, l: 7 }]).keys[0].l).toBe(7n);
  });

  test.each([
    [{ ...wire, l: 9_007_199_254_740_992 }, /"l" that is no int64/],
    [{ ...wire, l: "9223372036854775808" }, /"l" that is no int64/],
    [{ ...wire, i: "2147483648" }, /"i" that is no int32/],
    [{ ...wire, i: "1.5" }, /"i" that is no int32/],
    [{ ...wire, f: "NaN" }, /"f" that is no float64/],
    [{ ...wire, f: "" }, /"f" that is no float64/],
    [{ ...wire, b: "yes" }, /"b" that is no bool/],
    [{ ...wire, t: "yesterday" }, /"t" that is no timestamp/],
    [{ ...wire, s: true }, /"s" that is no string/],
    [{ s: "a" }, /lacks "i"/],
    [{ ...wire, x: 1 }, /not called "x"/],
  ])("are refused where they are none: %j", (keys, why) => {
    expect(() => parseKeys(every, [keys])).toThrow(
      expect.objectContaining({ code: "ERASE_KEY_INVALID", message: expect.stringMatching(why) }),
    );
  });

  test("are refused where there are none, and an unknown entity with the nearest name", () => {
    expect(() => parseKeys(every, [])).toThrow(expect.objectContaining({ code: "ERASE_KEY_INVALID" }));
    const entities = new Map([["customer", entity("customer", { id: string() })]]);
    expect(() => entityNamed(entities, "custmer")).toThrow(
      expect.objectContaining({
        code: "ERASE_ENTITY_UNKNOWN",
        kind: "not-found",
        message: expect.stringContaining('did you mean "customer"?'),
      }),
    );
    expect(() => entityNamed(entities, "warehouse")).toThrow(
      expect.objectContaining({ message: expect.stringContaining("it has customer") }),
    );
  });
});
