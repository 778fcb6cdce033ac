import type { ColumnType } from "../../../definitions/index.ts";
import { trainErrors } from "../../errors.ts";
import type { FittedEstimator, ModelPackage } from "../../model.ts";
import type { FittedPreparation } from "../../preparation/fitted-preparation.ts";
import { outputsOf } from "../../score-estimator.ts";
import { encodeOnnx } from "./encode-onnx.ts";
import { exportCalibration } from "./export-calibration.ts";
import { exportEstimator, exportLink } from "./export-estimator.ts";
import { GraphBuilder, ML_DOMAIN, type Value } from "./graph-builder.ts";
import type { OnnxNode, OnnxValueInfo } from "./onnx-model.ts";

/** What of a packaged model goes into an ONNX file. */
export type OnnxSource = Pick<
  ModelPackage,
  "model" | "task" | "classes" | "preparation" | "estimator" | "calibration" | "decision" | "trainedAt"
> & { readonly plan: { readonly features: readonly { readonly id: string; readonly type: ColumnType }[] } };

/**
 * The newest versions that the nodes here need, and no newer, so that as many runtimes as possible read the file: TreeEnsemble came
 * with ai.onnx.ml 5, which ONNX Runtime has since 1.20.
 */
const OPSET = 21;
const ML_OPSET = 5;
/** The last with TreeEnsembleClassifier and TreeEnsembleRegressor, which graphs from elsewhere may have. */
const OLD_TREES_ML_OPSET = 4;
const IR_VERSION = 10;

/**
 * A model as an ONNX file that takes raw features and needs nothing else: one input [N, 1] for each feature of the plan, named by its
 * id, doubles for numbers (booleans 0 and 1, timestamps microseconds since 1970, missing NaN) and strings for texts (missing: the text
 * that the metadata call `missing_text`, empty unless that is a category).
 *
 * Outputs: `raw`, doubles [N, outputs], before the link; then by task
 * binary: `probability`, doubles [N, 1], calibrated, and `label`, int64 [N], 1 from the decision's threshold on;
 * multiclass: `probability`, doubles [N, classes], and `label`, strings [N];
 * regression: `prediction`, doubles [N, 1].
 *
 * All numbers are doubles, so that no row changes sides at a threshold; see docs/decisions/onnx-export.md.
 *
 * @throws TRAIN_RULE_NOT_SERVABLE for the rule
 * @throws TRAIN_ONNX_UNSUPPORTED for a plan without features, and for a graph that was trained elsewhere and written for an opset that
 *   does not suit
 */
export function exportOnnx(source: OnnxSource): Uint8Array {
  return exportWith(source, matrixLayout(source));
}

/** How the values of a feature come in a column of a data frame. */
export type FrameType = "double" | "int64" | "bool" | "string";

/**
 * The same model for whoever has a data frame: one input [N] for each feature of the plan, in the type that its column has, and outputs of
 * which each is a column too. Missing numbers are NaN in doubles; missing texts may be empty or what frames write for them ("nan", "None",
 * "<NA>"), unless that is a category.
 *
 * Outputs: binary: `label`, int64 [N], and `probability`, doubles [N]; multiclass: `label`, strings [N], and `probability_<class>`, doubles
 * [N], for each class; regression: `prediction`, doubles [N].
 *
 * @param types by feature id; doubles, or strings for texts, where there is none
 * @throws as exportOnnx
 */
export function exportFrameOnnx(source: OnnxSource, types: ReadonlyMap<string, FrameType>): Uint8Array {
  return exportWith(source, frameLayout(source, types));
}

/** What differs between the files: how features come in, and how predictions go out. */
interface Layout {
  readonly inputs: readonly OnnxValueInfo[];
  /** Doubles, or texts, [N, 1] of each input. */
  values(graph: GraphBuilder): Value[];
  readonly missingTexts: readonly string[];
  outputs(graph: GraphBuilder, prediction: Value, raw: Value): OnnxValueInfo[];
}

function exportWith(source: OnnxSource, layout: Layout): Uint8Array {
  const { estimator, plan, task, calibration } = source;
  if (plan.features.length === 0) throw trainErrors.TRAIN_ONNX_UNSUPPORTED("the model's plan has no features to be inputs");
  if (estimator.kind === "rule") throw trainErrors.TRAIN_RULE_NOT_SERVABLE("the charter's rule is SQL, which ONNX cannot say");
  const graph = new GraphBuilder();
  const { inputs, missingTexts } = layout;
  const raw = exportEstimator(graph, estimator, source.preparation, { values: layout.values(graph), missingTexts });
  const uncalibrated = exportLink(graph, estimator, raw);
  const prediction = calibration === null ? uncalibrated : exportCalibration(graph, calibration, uncalibrated);
  const outputs = layout.outputs(graph, prediction, raw);
  return encodeOnnx({
    irVersion: IR_VERSION,
    producerName: "orrery",
    producerVersion: "",
    opsets: new Map([
      ["", graph.opset ?? OPSET],
      [ML_DOMAIN, mlOpsetOf(graph.nodes)],
    ]),
    metadata: {
      model: source.model,
      task,
      classes: JSON.stringify(source.classes),
      features: JSON.stringify(plan.features.map(({ id, type }) => ({ name: id, type }))),
      missing_text: missingTexts[0] ?? "",
      threshold: String(source.decision.threshold),
      trained_at: String(source.trainedAt),
    },
    graph: {
      name: source.model,
      inputs,
      outputs,
      nodes: graph.nodes,
      initializers: graph.initializers,
    },
  });
}

function matrixLayout(source: OnnxSource): Layout {
  const { plan, task, estimator } = source;
  const inputs = plan.features.map(
    ({ id, type }): OnnxValueInfo => ({ name: id, type: type === "string" ? "string" : "double", dims: [-1, 1] }),
  );
  return {
    inputs,
    values: () => inputs.map(({ name }) => name),
    missingTexts: [chooseMissingText(source)],
    outputs(graph, prediction, raw) {
      graph.named(raw, "raw");
      const columns = outputsOf(estimator);
      const name = task === "regression" ? "prediction" : "probability";
      graph.named(prediction, name);
      const shown: OnnxValueInfo = { name, type: "double", dims: [-1, columns] };
      const labels = task === "regression" ? [] : [exportLabel(graph, source, prediction)];
      return [...labels, shown, { name: "raw", type: "double", dims: [-1, columns] }];
    },
  };
}

/** What libraries of data frames make of a missing text when they hand it to a runtime. */
const MISSING_IN_FRAMES = ["nan", "None", "<NA>"];

function frameLayout(source: OnnxSource, types: ReadonlyMap<string, FrameType>): Layout {
  const { plan, task, estimator } = source;
  const inputs = plan.features.map(({ id, type }): OnnxValueInfo & { readonly type: FrameType } => ({
    name: id,
    type: type === "string" ? "string" : (types.get(id) ?? "double"),
    dims: [-1],
  }));
  const categories = new Set(categoriesOf(estimator, source.preparation));
  return {
    inputs,
    values: (graph) =>
      inputs.map(({ name, type }) => {
        const value = type === "string" || type === "double" ? name : graph.toDouble(name);
        return graph.add("Unsqueeze", [value, graph.integers([1])]);
      }),
    missingTexts: [chooseMissingText(source), ...MISSING_IN_FRAMES.filter((text) => !categories.has(text))],
    outputs(graph, prediction) {
      const names = frameOutputs(source);
      const columns = names.map((name, k): OnnxValueInfo => {
        const column =
          names.length === 1
            ? prediction
            : graph.add("Gather", [prediction, graph.integers([k])], { axis: { type: "int", value: 1 } });
        graph.named(graph.add("Squeeze", [column, graph.integers([1])]), name);
        return { name, type: "double", dims: [-1] };
      });
      return task === "regression" ? columns : [exportLabel(graph, source, prediction), ...columns];
    },
  };
}

/** Names of the columns of numbers that exportFrameOnnx makes, beside the label. */
export function frameOutputs({ task, classes, estimator }: Pick<OnnxSource, "task" | "classes" | "estimator">): string[] {
  if (task === "multiclass") return classes.map((name) => `probability_${name}`);
  const name = task === "binary" ? "probability" : "prediction";
  const count = outputsOf(estimator);
  return count === 1 ? [name] : Array.from({ length: count }, (_, k) => `${name}_${k}`);
}

function exportLabel(graph: GraphBuilder, { task, classes, decision }: OnnxSource, prediction: Value): OnnxValueInfo {
  if (task === "binary") {
    const acts = graph.add("GreaterOrEqual", [prediction, graph.number(decision.threshold)]);
    graph.named(graph.add("Squeeze", [graph.toInteger(acts), graph.integers([1])]), "label");
    return { name: "label", type: "int64", dims: [-1] };
  }
  const names = graph.constant({ type: "string", dims: [classes.length], data: classes });
  const best = graph.add("ArgMax", [prediction], { axis: { type: "int", value: 1 }, keepdims: { type: "int", value: 0 } });
  graph.named(graph.add("Gather", [names, best]), "label");
  return { name: "label", type: "string", dims: [-1] };
}

function mlOpsetOf(nodes: readonly OnnxNode[]): number {
  const has = (operator: string) => nodes.some((node) => node.operator === operator);
  if (!has("TreeEnsembleClassifier") && !has("TreeEnsembleRegressor")) return ML_OPSET;
  if (!has("TreeEnsemble")) return OLD_TREES_ML_OPSET;
  throw trainErrors.TRAIN_ONNX_UNSUPPORTED(
    "the model's graph has trees of the old kind, and its preparation or calibration needs those of the new kind",
    { hint: "Take the file that its trainer handed back, or train again without quantile scaling and isotonic calibration." },
  );
}

/** The empty text, or one that no category is. */
function chooseMissingText({ estimator, preparation }: OnnxSource): string {
  const categories = new Set(categoriesOf(estimator, preparation));
  let text = "";
  while (categories.has(text)) text += "(missing)";
  return text;
}

function categoriesOf(estimator: FittedEstimator, preparation: FittedPreparation): string[] {
  const own = preparation.encodings.flatMap(({ categories }) => categories);
  if (estimator.kind !== "ensemble") return own;
  return [...own, ...estimator.members.flatMap((member) => categoriesOf(member.estimator, member.preparation))];
}
