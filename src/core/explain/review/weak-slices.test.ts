import { describe, expect, it } from "vitest";
import { type Dataset, seededRandom } from "../../training/index.ts";
import { syntheticDataset } from "../explain.fixture.ts";
import { everyRow } from "../sample-rows.ts";
import { rowLosses } from "./row-losses.ts";
import { weakSlices } from "./weak-slices.ts";

const dataset = syntheticDataset(6_000);
const all = everyRow(dataset);
const numbers = (id: string): Float64Array => {
  const column = dataset.features.find((each) => each.id === id);
  return column?.kind === "numeric" ? column.values : new Float64Array(0);
};
const [wind, noise] = [numbers("weather.wind"), numbers("noise.noise")];
const kind = dataset.segments[0].codes;

/** Says 0.9 for what happens, but 0.5 where `isWeak`. */
const predictions = (isWeak: (row: number) => boolean) =>
  Float64Array.from(all, (row) => (isWeak(row) ? 0.5 : dataset.label[row] === 1 ? 0.9 : 0.1));

describe("weak slices", () => {
  it("are found where they were planted: a part of a feature", () => {
    const search = weakSlices(
      dataset,
      all,
      predictions((row) => wind[row] > 1),
    );
    const [{ conditions, loss, lossElsewhere, excess, pValue }] = search.slices;
    expect(conditions[0]).toMatch(/^weather\.wind > 0\.6/);
    expect(search.loss).toBe("log_loss");
    expect(loss - lossElsewhere).toBeCloseTo(excess.value, 12);
    expect(excess.low).toBeGreaterThan(0.2);
    expect(pValue).toBeLessThan(0.05);
  });

  it("are found where only two features together make them, with both conditions", () => {
    const search = weakSlices(
      dataset,
      all,
      predictions((row) => kind[row] === 2 && noise[row] < -0.7),
    );
    expect(search.slices[0].conditions).toHaveLength(2);
    expect(search.slices[0].conditions.join(" and ")).toMatch(
      /shop\.kind is c.*noise\.noise <= -0\.6|noise\.noise <= -0\.6.*shop\.kind is c/,
    );
    expect(search.slices[0].share).toBeGreaterThan(0.05);
  });

  it("tell what the parts really lose on the rows that they were confirmed on, by hand", () => {
    const prediction = predictions((row) => Number.isNaN(numbers("weather.rain")[row]));
    const { slices } = weakSlices(dataset, all, prediction, { minRows: 20 });
    const missing = slices.find(({ conditions }) => conditions[0] === "weather.rain is missing");
    const { losses } = rowLosses(dataset, all, prediction);
    const days = [...new Set(dataset.day)].sort((a, b) => a - b);
    const held = [...all].filter((row) => days.indexOf(dataset.day[row]) % 2 === 1);
    const inside = held.filter((row) => Number.isNaN(numbers("weather.rain")[row]));
    expect(missing?.rows).toBe(inside.length);
    expect(missing?.loss).toBeCloseTo(inside.reduce((sum, row) => sum + losses[row], 0) / inside.length, 12);
  });

  it("are seldom found where there are none, though hundreds were looked at", () => {
    let alarms = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const random = seededRandom(seed);
      const label = Uint8Array.from(all, () => random.below(2));
      const chance = Float64Array.from(all, () => 0.2 + 0.6 * (random.uint32() / 2 ** 32));
      const search = weakSlices({ ...dataset, label }, all, chance, { seed, resamples: 300 });
      expect(search.tried).toBeGreaterThan(40);
      alarms += search.slices.length > 0 ? 1 : 0;
    }
    expect(alarms).toBeLessThanOrEqual(3);
  });

  it("of values are by absolute error, of several classes by the log loss of the right one", () => {
    const values: Dataset = { ...dataset, task: "regression", label: wind };
    const off = Float64Array.from(wind, (value, row) => value + (kind[row] === 1 ? 2 : 0.1));
    const search = weakSlices(values, all, off);
    expect(search.loss).toBe("absolute_error");
    expect(search.slices[0].conditions).toEqual(["shop.kind is b"]);
    expect(search.slices[0].loss).toBeCloseTo(2, 9);
    const several: Dataset = { ...dataset, task: "multiclass", classes: ["x", "y"], label: Int32Array.of(1, 0) };
    const { losses } = rowLosses(several, Uint32Array.of(0, 1), Float64Array.of(0.25, 0.75, 0.5, 0.5));
    expect(losses[0]).toBeCloseTo(-Math.log(0.75), 12);
    expect(losses[1]).toBeCloseTo(Math.log(2), 12);
  });

  it("need rows enough, and are none where all features are the same", () => {
    expect(weakSlices(dataset, all.subarray(0, 30), predictions(() => false).subarray(0, 30)).slices).toEqual([]);
    const flat: Dataset = {
      ...dataset,
      features: [{ kind: "numeric", id: "x", values: new Float64Array(dataset.rows).fill(1) }],
      segments: [],
    };
    expect(
      weakSlices(
        flat,
        all,
        predictions(() => false),
      ),
    ).toMatchObject({ tried: 0, slices: [] });
    expect(() => weakSlices(dataset, new Uint32Array(0), new Float64Array(0))).toThrow(
      expect.objectContaining({ code: "EXPLAIN_NO_ROWS" }),
    );
  });

  it("are the same for the same seed", () => {
    const prediction = predictions((row) => wind[row] > 1);
    expect(weakSlices(dataset, all, prediction, { seed: 5 })).toEqual(weakSlices(dataset, all, prediction, { seed: 5 }));
  });
});
