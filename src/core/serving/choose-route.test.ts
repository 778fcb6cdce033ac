import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseRoute } from "./choose-route.ts";

const routes = (share: number) => [
  { alias: "champion", share: 1 - share },
  { alias: "challenger", share },
];

describe("the route of a request", () => {
  it("is always the same for the same thing", () => {
    fc.assert(
      fc.property(fc.string(), fc.double({ min: 0, max: 1, noNaN: true }), (about, share) => {
        expect(chooseRoute(routes(share), about)).toEqual(chooseRoute(routes(share), about));
      }),
    );
  });

  it("stays with the challenger while its share grows", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 }), (about, a, b) => {
        const [less, more] = [Math.min(a, b) / 100, Math.max(a, b) / 100];
        if (chooseRoute(routes(less), about).alias === "challenger") {
          expect(chooseRoute(routes(more), about).alias).toBe("challenger");
        }
      }),
    );
  });

  it.each([
    ["numbered flights", (i: number) => `UA|${i}|JFK`],
    ["times", (i: number) => `2013-07-01T${i}`],
    ["numbers", (i: number) => String(i)],
  ])("keeps the shares over many different %s", (_, about) => {
    const n = 20_000;
    const chosen = Array.from({ length: n }, (_, i) => chooseRoute(routes(0.1), about(i)).alias);
    const share = chosen.filter((alias) => alias === "challenger").length / n;
    // Four standard deviations of a binomial share.
    expect(Math.abs(share - 0.1)).toBeLessThan(4 * Math.sqrt((0.1 * 0.9) / n));
  });

  it("never goes to a route without a share, and the only route takes all", () => {
    fc.assert(
      fc.property(fc.string(), (about) => {
        expect(chooseRoute(routes(0), about).alias).toBe("champion");
        expect(chooseRoute(routes(1), about).alias).toBe("challenger");
        expect(chooseRoute([{ share: 1 }], about)).toEqual({ share: 1 });
      }),
    );
  });
});
