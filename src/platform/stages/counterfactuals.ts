import type { ModelDefinition } from "../../core/definitions/index.ts";
import { type CounterfactualAnswer, counterfactuals } from "../../core/explain/index.ts";
import type { FeaturePlan, FeatureValue } from "../../core/features/index.ts";
import { findFeature, unpackModel } from "../../core/training/index.ts";
import { modelNamed } from "./model-named.ts";
import { type ReferenceSample, sampleDataset } from "./reference-sample.ts";
import { stage } from "./stage.ts";

/** One row, and the artifacts of the version that predicted it. */
export interface CounterfactualQuestion {
  readonly model: string;
  /** sha256 of the model package, and of its `background.json`. */
  readonly package: string;
  readonly sample: string;
  /** By feature id. */
  readonly features: Readonly<Record<string, FeatureValue>>;
}

export interface CounterfactualOutput extends CounterfactualAnswer {
  /** Ids of features that the project says nobody can change. */
  readonly immutable: readonly string[];
}

/** What would have to be different for another decision. Tens of thousands of predictions, hence in a worker. */
export default stage<CounterfactualQuestion, CounterfactualOutput>(async (opened, question) => {
  const model = unpackModel(await opened.artifacts.read(question.package));
  const sample = await opened.readJson<ReferenceSample>({ sha256: question.sample });
  const dataset = sampleDataset(sample, model);
  const immutable = immutableIds(modelNamed(opened.project, question.model), model.plan);
  const answer = counterfactuals(
    model,
    model.plan.features.map(({ id }) => question.features[id] ?? null),
    { dataset, rows: Uint32Array.from({ length: sample.rows }, (_, row) => row) },
    { constraints: Object.fromEntries(immutable.map((id) => [id, { immutable: true }])) },
  );
  return { ...answer, immutable };
});

/** Of the definition's immutable features those that this version of the model, which may be an older one, has. */
function immutableIds({ immutable, features }: ModelDefinition, plan: FeaturePlan): string[] {
  const ids = features.map(({ id }) => id);
  const fixed = immutable.map((name) => ids[findFeature(ids, name, "`explain.immutable`")]);
  return fixed.filter((id) => plan.features.some((feature) => feature.id === id));
}
