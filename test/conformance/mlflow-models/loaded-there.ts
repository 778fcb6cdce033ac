import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Check } from "../../../scripts/conformance.ts";
import { createClient } from "../../../src/client/index.ts";
import { mlflowModelFiles, ONNX_FILE } from "../../../src/core/training/formats/mlflow-model/write-mlflow-model.ts";
import { frameOutputs } from "../../../src/core/training/formats/onnx/export-onnx.ts";
import {
  type Dataset,
  type FeatureColumn,
  frameModel,
  type ModelPackage,
  predict,
  unpackModel,
} from "../../../src/core/training/index.ts";
import { type ReferenceSample, sampleDataset } from "../../../src/platform/stages/reference-sample.ts";
import { orrery, up } from "../../e2e/orrery-process.ts";
import { type ExportCase, exportCases } from "../onnx/export-cases.ts";
import { differenceOf } from "./compare-answers.ts";
import { runPython } from "./run-python.ts";
import { serveModel } from "./serve-model.ts";

const ROOT = join(import.meta.dirname, "../../..");
/** What is promised; the graph is in doubles, so that it is far less. */
const TOLERANCE = 1e-6;

/** One of the examples, trained as a person would; its own MLflow folder loaded by MLflow, and served by us again. */
export async function loadedThere(check: Check, python: string): Promise<void> {
  // Inside the repository, so that `orrery` resolves to it as it does for anybody who installed it.
  mkdirSync(join(ROOT, ".orrery"), { recursive: true });
  const folder = mkdtempSync(join(ROOT, ".orrery/conformance-mlflow-"));
  try {
    for (const example of ["template", "regression", "multiclass"]) await loadExample(check, python, folder, example);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Every kind of estimator, calibration and preparation, in folders on the disk: those of numbers alone are data frames for MLflow, those with texts
 * arrays.
 */
export async function foldersLoadedThere(check: Check, python: string, folder: string): Promise<void> {
  const cases = exportCases(1 / 100);
  for (const [at, { name, model, dataset }] of [...cases, wholeNumbers(cases[0])].entries()) {
    const place = join(folder, `case-${at}`);
    mkdirSync(place);
    // JSON has no infinite numbers, which are missing ones to a model.
    const complete = new Set(dataset.features.filter((feature) => isComplete(feature)).map(({ id }) => id));
    const { onnx, signature } = frameModel(model, complete);
    for (const [file, text] of mlflowModelFiles({ signature, runId: "run-1", at: 0, bytesOfOnnx: onnx.length }))
      writeFileSync(join(place, file), text);
    writeFileSync(join(place, ONNX_FILE), onnx);
    const rowsFile = join(folder, `case-${at}.json`);
    writeFileSync(rowsFile, JSON.stringify(rowsOf(model, dataset)));
    await check(`mlflow.pyfunc predicts what Orrery predicts: ${name}`, async () => {
      const [{ largest, rows, kind }] = await loadThere(python, rowsFile, [place], "http://127.0.0.1:9", folder);
      return `${rows} rows as ${kind}, largest difference ${largest.toExponential(1)}`;
    });
  }
}

/** The same model over columns of whole numbers, conditions and times, as a frame of the training set has them. */
function wholeNumbers({ model, dataset }: ExportCase): ExportCase {
  const types = ["int64", "bool", "timestamp", "int32", "float64"] as const;
  const features = dataset.features.map((feature, at): FeatureColumn => {
    if (feature.kind === "categorical") return feature;
    const whole = (value: number) => Math.round(Number.isFinite(value) ? Math.max(-9, Math.min(9, value * 3)) : 0);
    return {
      ...feature,
      values: feature.values.map((value) => (types[at] === "bool" ? Math.abs(whole(value)) % 2 : whole(value))),
    };
  });
  const plan = {
    ...model.plan,
    features: model.plan.features.map((feature, at) => ({ ...feature, type: types[at] ?? "float64" })),
  };
  return { name: "whole numbers, conditions and times", model: { ...model, plan }, dataset: { ...dataset, features } };
}

const isComplete = (feature: FeatureColumn): boolean =>
  feature.kind === "numeric" ? feature.values.every((value) => !Number.isNaN(value)) : feature.codes.every((code) => code >= 0);

interface Loaded {
  readonly largest: number;
  readonly rows: number;
  readonly kind: string;
}

/** What MLflow predicts by each address, which is what Orrery does. */
async function loadThere(
  python: string,
  rowsFile: string,
  addresses: readonly string[],
  trackingUri: string,
  folder: string,
): Promise<readonly Loaded[]> {
  const out = await runPython(python, "load_models.py", [rowsFile, ...addresses], trackingUri, folder);
  const line = out.split("\n").find((each) => each.startsWith("@found "));
  const found: Record<string, Loaded> = JSON.parse(line?.slice("@found ".length) ?? "{}");
  if (Object.keys(found).length !== addresses.length) throw new Error(`only ${Object.keys(found)} were loaded`);
  for (const [address, { largest }] of Object.entries(found))
    if (!(largest <= TOLERANCE)) throw new Error(`by ${address} predictions differ by ${largest}`);
  return Object.values(found);
}

async function loadExample(check: Check, python: string, folder: string, example: string): Promise<void> {
  const project = join(folder, example);
  if (example === "template") await done("init", project);
  else cpSync(join(ROOT, "examples", example), project, { recursive: true });
  await done("-p", project, "run", "train");
  const server = await up(project, ["--no-serve"]);
  try {
    const { project: name } = (await (await fetch(`${server.url}/api/v1/context`)).json()) as { project: string };
    const client = createClient({ baseUrl: server.url, workspace: "default", project: name });
    const [model] = (await client.models.list()).items;
    const runId = model?.versions.find(({ version }) => version === 1)?.runId;
    if (model === undefined || typeof runId !== "string") throw new Error(`${example} has registered nothing`);
    const file = async (path: string) => {
      const answer = await fetch(`${server.url}/api/v1/default/${name}/runs/${runId}/artifacts/${path}`);
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return new Uint8Array(await answer.arrayBuffer());
    };
    const packaged = unpackModel(await file("model.orrery"));
    const sample: ReferenceSample = JSON.parse(new TextDecoder().decode(await file("background.json")));
    const rows = rowsOf(packaged, sampleDataset(sample, packaged));
    const rowsFile = join(folder, `${example}.json`);
    writeFileSync(rowsFile, JSON.stringify(rows));
    const exported = join(folder, `${example}-folder`);
    await done("-p", project, "models", "export", `${model.name}@1`, "--format", "mlflow", "--to", exported);
    const addresses = [`models:/${model.name}/1`, `runs:/${runId}/model`, exported];
    if (model.aliases.champion !== undefined) addresses.push(`models:/${model.name}@champion`);

    await check(`${example}: mlflow.pyfunc loads what the pipeline registered, and predicts what Orrery predicts`, async () => {
      const all = await loadThere(python, rowsFile, addresses, server.url, folder);
      const largest = Math.max(...all.map((each) => each.largest));
      return `${all[0]?.rows} rows by ${all.length} addresses as ${all[0]?.kind}, largest difference ${largest.toExponential(1)}`;
    });
    await check(`${example}: orrery serve answers with the same folder`, () => servedAgain(exported, folder, server.url, rows));
  } finally {
    await server.stop();
  }
}

async function servedAgain(exported: string, folder: string, trackingUri: string, { columns, expected }: Rows): Promise<string> {
  const served = await serveModel(exported, join(folder, "served"), trackingUri);
  try {
    const answer = await fetch(`${served.url}/invocations`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ inputs: Object.fromEntries(Object.entries(columns).map(([name, { values }]) => [name, values])) }),
    });
    const { predictions }: { predictions: unknown } = JSON.parse(await answer.text());
    const names = Object.keys(expected);
    const count = expected[names[0] ?? ""]?.length ?? 0;
    // Columns come as objects a row, arrays by name.
    const wanted = Array.isArray(predictions)
      ? Array.from({ length: count }, (_, row) => Object.fromEntries(names.map((name) => [name, expected[name]?.[row]])))
      : expected;
    const difference = differenceOf(predictions, wanted);
    if (!(difference <= TOLERANCE)) throw new Error(`predictions differ by ${difference}`);
    return `${count} rows, largest difference ${difference.toExponential(1)}`;
  } finally {
    await served.stop();
  }
}

interface Rows {
  readonly columns: Readonly<Record<string, { readonly type: string; readonly values: readonly unknown[] }>>;
  /** Orrery's own, by the names that the folder has for them. */
  readonly expected: Readonly<Record<string, readonly (number | string)[]>>;
}

function rowsOf(model: ModelPackage, dataset: Dataset): Rows {
  const { plan, task, classes, decision } = model;
  const columns = dataset.features.map((feature, at): [string, Rows["columns"][string]] => {
    const type = plan.features[at]?.type ?? "float64";
    if (feature.kind === "categorical")
      return [feature.id, { type, values: Array.from(feature.codes, (code) => feature.categories[code] ?? null) }];
    const values = Array.from(feature.values, (value) => (Number.isNaN(value) ? null : type === "bool" ? value === 1 : value));
    return [feature.id, { type, values }];
  });
  const { prediction } = predict(
    model,
    dataset,
    Uint32Array.from({ length: dataset.rows }, (_, row) => row),
  );
  const outputs = frameOutputs(model);
  const numbers = outputs.map((_, output) =>
    Array.from({ length: dataset.rows }, (_, row) => prediction[row * outputs.length + output]),
  );
  const expected: Record<string, readonly (number | string)[]> = Object.fromEntries(
    outputs.map((name, output) => [name, numbers[output]]),
  );
  if (task === "binary") expected.label = numbers[0].map((probability) => (probability >= decision.threshold ? 1 : 0));
  if (task === "multiclass")
    expected.label = Array.from({ length: dataset.rows }, (_, row) => {
      const shares = numbers.map((column) => column[row]);
      return classes[shares.indexOf(Math.max(...shares))];
    });
  return { columns: Object.fromEntries(columns), expected };
}

async function done(...args: readonly string[]): Promise<void> {
  const { code, err } = await orrery(args);
  if (code !== 0) throw new Error(`orrery ${args.join(" ")}: ${err}`);
}
