import { expect, test } from "vitest";
import { trainerRequest } from "./fixtures/request.ts";
import { trainingSpec } from "./training-spec.ts";

const features = (...names: string[]) => names.map((name) => ({ name, categories: 0 }));

test("target and weight have names that no feature has", () => {
  const weighted = trainerRequest({ program: "x.py", features: features("Target", "_target", "weight") });
  const spec = trainingSpec(
    { ...weighted, train: { ...weighted.train, target: { ...weighted.train.target, weights: Float64Array.of(1, 1, 1, 1) } } },
    "/f",
  );
  expect(spec).toMatchObject({ target: "__target", weight: "_weight" });
});

test("a validation part without rows is none", () => {
  const request = trainerRequest({ program: "x.py" });
  const validation = {
    matrix: { rows: 0, columns: [new Float64Array(0), new Float64Array(0)] },
    target: { values: new Uint8Array(0) },
  };
  expect(trainingSpec({ ...request, validation }, "/f").validation).toBeNull();
});

test("a weight is named where either part has weights", () => {
  const request = trainerRequest({ program: "x.py" });
  const weights = Float64Array.of(1, 1, 1, 1);
  expect(trainingSpec(request, "/f").weight).toBeNull();
  const validation = { ...request.train, target: { ...request.train.target, weights } };
  expect(trainingSpec({ ...request, validation }, "/f")).toMatchObject({
    weight: "weight",
    validation: { path: "/f/validation.parquet", rows: 4 },
  });
});
