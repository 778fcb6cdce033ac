import { describe, expect, it } from "vitest";
import { DAY } from "../../time.ts";
import { seededRandom } from "../../training/index.ts";
import { syntheticDataset } from "../explain.fixture.ts";
import { everyRow, takeRows } from "../sample-rows.ts";
import { staleDonors, withDonatedValues } from "./stale-values.ts";

const dataset = syntheticDataset(600);
const all = everyRow(dataset);
const random = () => seededRandom(1);

describe("stale values", () => {
  it("of an entity are its latest that are old enough, by brute force", () => {
    const entity = Int32Array.from(all, (row) => (row % 11 === 0 ? -1 : row % 7));
    const donors = staleDonors(dataset, all, { lag: 2 * DAY, entity, donors: all, random: random() });
    for (const row of all) {
      const old = [...all].filter(
        (other) => entity[row] >= 0 && entity[other] === entity[row] && dataset.at[other] <= dataset.at[row] - 2 * DAY,
      );
      expect(donors[row]).toBe(old.at(-1) ?? -1);
    }
  });

  it("without entities are those of some row of the latest day that is old enough", () => {
    const donors = staleDonors(dataset, all, { lag: DAY, donors: all, random: random() });
    for (const row of all) {
      if (dataset.day[row] === dataset.day[0]) expect(donors[row]).toBe(-1);
      else expect(dataset.day[donors[row]]).toBe(dataset.day[row] - 1);
    }
  });

  it("come from no row that is not given for it", () => {
    const allowed = all.filter((row) => row % 3 === 0);
    const donors = staleDonors(dataset, all, { lag: DAY, donors: allowed, random: random() });
    expect(donors.every((row) => row < 0 || row % 3 === 0)).toBe(true);
  });

  it("replace the named features only, and are missing where there are none", () => {
    const rows = Uint32Array.of(0, 500);
    const made = withDonatedValues(dataset, takeRows(dataset, rows), ["weather.wind", "shop.kind"], Int32Array.of(-1, 20));
    const [wind, rain, kind] = made.features.map((column) => (column.kind === "numeric" ? column.values : column.codes));
    const original = dataset.features.map((column) => (column.kind === "numeric" ? column.values : column.codes));
    expect(Array.from(wind)).toEqual([Number.NaN, original[0][20]]);
    expect(Array.from(rain)).toEqual([original[1][0], original[1][500]]);
    expect(Array.from(kind)).toEqual([-1, original[2][20]]);
  });
});
