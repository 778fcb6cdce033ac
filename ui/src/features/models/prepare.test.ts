import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Approval, Gate, RegisteredModel } from "../../../../src/contract/index.ts";
import {
  asksForPeople,
  comparedWith,
  defaultVersion,
  gateOf,
  lastWords,
  permutationBars,
  rankCandidates,
  rankSegments,
  swarm,
} from "./prepare.ts";

const estimate = (value: number) => ({ value, low: value - 0.1, high: value + 0.1 });
const model = (aliases: Record<string, number>, versions: number[]): RegisteredModel => ({
  name: "m",
  description: "",
  createdAt: "2013-11-01T00:00:00Z",
  updatedAt: "2013-11-01T00:00:00Z",
  tags: {},
  aliases,
  versions: versions.map((version) => ({
    model: "m",
    version,
    aliases: [],
    tags: {},
    runId: "r",
    artifact: "a",
    source: "runs:/r/model",
    status: "ready",
    stage: "None",
    createdAt: "2013-11-01T00:00:00Z",
    updatedAt: "2013-11-01T00:00:00Z",
    actor: "anna",
    description: "",
  })),
  promotions: [],
  gates: [],
  approvals: [],
});

describe("defaultVersion", () => {
  it("is the champion, else the newest, else none", () => {
    expect(defaultVersion(model({ champion: 2 }, [1, 2, 3]))).toBe(2);
    expect(defaultVersion(model({}, [3, 1, 2]))).toBe(3);
    expect(defaultVersion(model({}, []))).toBeNull();
  });
});

describe("gateOf", () => {
  it("is the last one that the version went through", () => {
    const gate = (id: string, version: number, openedAt: string): Gate => ({
      id,
      version,
      championVersion: null,
      openedAt,
      state: "passed",
      passed: true,
      verdicts: [],
    });
    const gates = [
      gate("late", 2, "2013-11-03T00:00:00Z"),
      gate("early", 2, "2013-11-01T00:00:00Z"),
      gate("other", 1, "2013-11-09T00:00:00Z"),
    ];
    expect(gateOf(gates, 2)?.id).toBe("late");
    expect(gateOf(gates, 7)).toBeNull();
  });
});

describe("rankCandidates", () => {
  const candidates = [
    { name: "undefined", selected: false, metrics: {} },
    { name: "low", selected: false, metrics: { roc_auc: estimate(0.5), log_loss: estimate(0.4) } },
    { name: "high", selected: true, metrics: { roc_auc: estimate(0.8), log_loss: estimate(0.6) } },
  ];
  it("puts the best first by a score and by a loss, and the undefined last", () => {
    expect(rankCandidates(candidates, "roc_auc").map(({ name }) => name)).toEqual(["high", "low", "undefined"]);
    expect(rankCandidates(candidates, "log_loss").map(({ name }) => name)).toEqual(["low", "high", "undefined"]);
  });
});

describe("rankSegments", () => {
  it("puts the worst first and the undefined last", () => {
    const segment = (value: string, rocAuc: number | null) => ({
      segment: "carrier",
      value,
      rows: 10,
      positives: 1,
      metrics: rocAuc === null ? {} : { roc_auc: estimate(rocAuc) },
    });
    const ranked = rankSegments([segment("OO", null), segment("UA", 0.8), segment("WN", 0.6)], "roc_auc");
    expect(ranked.map(({ name }) => name)).toEqual(["carrier = WN", "carrier = UA", "carrier = OO"]);
  });
});

describe("a model of numbers", () => {
  it("has errors, of which the greatest is the worst, and no positives", () => {
    const segment = (value: string, rmse: number) => ({
      segment: "plan",
      value,
      rows: 10,
      positives: null,
      metrics: { rmse: estimate(rmse) },
    });
    const ranked = rankSegments([segment("family", 9), segment("single", 14)], "rmse");
    expect(ranked.map(({ name, positives }) => [name, positives])).toEqual([
      ["plan = single", null],
      ["plan = family", null],
    ]);
    const candidate = (name: string, rmse: number) => ({ name, selected: false, metrics: { rmse: estimate(rmse) } });
    expect(rankCandidates([candidate("baseline", 20), candidate("ridge", 12)], "rmse")[0]?.name).toBe("ridge");
  });
});

describe("permutationBars", () => {
  it("sorts by the drop and keeps the interval", () => {
    const bars = permutationBars(
      {
        scale: "log-odds",
        shap: [],
        sample: [],
        segments: [],
        permutation: [
          { feature: "a", drop: estimate(0) },
          { feature: "b", drop: estimate(1) },
        ],
      },
      1,
    );
    expect(bars).toEqual([{ feature: "b", value: 1, low: 0.9, high: 1.1 }]);
  });
});

describe("swarm", () => {
  it("stacks equal values alternately around the middle, the fullest stack reaching the edge", () => {
    const dots = swarm([{ feature: "a", points: Array.from({ length: 5 }, () => ({ value: 0.5, phi: 1 })) }], ["a"]);
    expect(dots.map(({ offset }) => offset)).toEqual([0, -0.5, 0.5, -1, 1]);
  });
  it("draws the asked features only, in the asked order", () => {
    const point = { value: null, phi: 0 };
    const dots = swarm(
      [
        { feature: "a", points: [point] },
        { feature: "b", points: [point] },
        { feature: "c", points: [point] },
      ],
      ["c", "a", "unknown"],
    );
    expect(dots.map(({ feature }) => feature)).toEqual(["c", "a"]);
    expect(swarm([], ["a"])).toEqual([]);
  });
  it("loses no point and stays within the row, for any values", () => {
    const phis = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(phis, (values) => {
        const dots = swarm([{ feature: "a", points: values.map((phi) => ({ value: 0, phi })) }], ["a"]);
        expect(dots.map(({ phi }) => phi)).toEqual(values);
        for (const { offset } of dots) expect(Math.abs(offset)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("what people said of a version", () => {
  const word = (id: string, actor: string, decision: Approval["decision"], at: string, version = 1): Approval => {
    return { id, actor, decision, at, version, roles: [], reason: "" };
  };
  const words = [
    word("1", "anna", "declined", "2026-01-01T00:00:00Z"),
    word("2", "ben", "approved", "2026-01-02T00:00:00Z"),
    word("3", "anna", "approved", "2026-01-03T00:00:00Z"),
    word("4", "anna", "declined", "2026-01-04T00:00:00Z", 2),
  ];

  it("is of each person the last word, the latest first, and of this version only", () => {
    expect(lastWords(words, 1).map(({ id }) => id)).toEqual(["3", "2"]);
  });

  it("is asked for while the gate waits or somebody is against it, and not without a gate", () => {
    const gate = (state: Gate["state"]): Gate => {
      return {
        id: "g",
        version: 1,
        championVersion: null,
        openedAt: "2026-01-01T00:00:00Z",
        state,
        passed: state === "passed",
        verdicts: [],
      };
    };
    expect(asksForPeople(gate("waiting"), [])).toBe(true);
    expect(asksForPeople(gate("passed"), lastWords(words, 1))).toBe(false);
    expect(asksForPeople(gate("failed"), lastWords(words, 2))).toBe(true);
    expect(asksForPeople(null, [])).toBe(false);
  });
});

describe("the version that another is compared with", () => {
  const versions = [{ version: 1 }, { version: 3 }, { version: 4 }];
  it("is the one before it, the one after it for the oldest, and none for one that is alone", () => {
    expect([4, 3, 1].map((version) => comparedWith(versions, version))).toEqual([3, 1, 3]);
    expect(comparedWith([{ version: 2 }], 2)).toBeNull();
  });
});
