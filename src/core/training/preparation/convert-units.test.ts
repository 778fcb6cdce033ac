import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Dataset } from "../dataset.ts";
import { convertDataset, convertUnits } from "./convert-units.ts";
import { encode } from "./encode.ts";
import type { EncodedColumn, FittedPreparation, NumberMap } from "./fitted-preparation.ts";

const dataset = (values: number[]): Dataset => ({
  task: "binary",
  classes: [],
  rows: values.length,
  features: [{ kind: "numeric", id: "weather.temp", values: Float64Array.from(values) }],
  label: new Uint8Array(values.length),
  at: new Float64Array(values.length),
  labelAt: new Float64Array(values.length),
  day: new Int32Array(values.length),
  rule: new Uint8Array(values.length),
  segments: [],
});

const column = (maps: readonly NumberMap[]): EncodedColumn => ({
  name: "weather.temp",
  categories: 0,
  source: { kind: "number", feature: 0 },
  maps,
});

describe("a change of units", () => {
  const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  const positive = fc.double({ min: 1e-3, max: 1e3, noNaN: true });

  it("gives the estimator what it was trained on, missing values included", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(finite, fc.constant(Number.NaN)), { minLength: 1, maxLength: 20 }),
        fc.record({ factor: positive, offset: finite }),
        fc.option(finite),
        finite,
        positive,
        (values, change, fill, mean, scale) => {
          const scaled: NumberMap = { kind: "scale", center: mean, scale };
          const wind = column(fill === null ? [scaled] : [{ kind: "fill", value: fill }, scaled]);
          const preparation: FittedPreparation = {
            columns: [wind, column([{ kind: "is-missing" }]), { ...column([]), source: { kind: "product", of: [wind, wind] } }],
            encodings: [],
          };
          const changes = { "weather.temp": change };
          const rows = Uint32Array.from(values.keys());
          const trained = encode(preparation, dataset(values), rows);
          const delivered = encode(
            convertUnits(preparation, ["weather.temp"], changes),
            convertDataset(dataset(values), changes),
            rows,
          );
          const size = (Math.abs(mean) + Math.abs(change.offset / change.factor) + 1e6) / scale;
          trained.columns.slice(0, 2).forEach((column, c) => {
            column.forEach((value, row) => {
              if (Number.isNaN(value)) expect(delivered.columns[c][row]).toBeNaN();
              else
                expect(Math.abs((delivered.columns[c][row] ?? Number.NaN) - value)).toBeLessThanOrEqual(1e-9 * Math.max(1, size));
            });
          });
          const [first, , square] = delivered.columns;
          expect([...square]).toEqual([...first].map((value) => value * value));
        },
      ),
    );
  });

  it("leaves features alone that it does not name", () => {
    const preparation: FittedPreparation = { columns: [column([{ kind: "scale", center: 1, scale: 2 }])], encodings: [] };
    expect(convertUnits(preparation, ["weather.temp"], { "weather.visib": { factor: 2, offset: 0 } })).toEqual(preparation);
  });
});
