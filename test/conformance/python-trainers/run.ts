/** Python trainers with the real libraries: the examples in an environment made for them, and their graphs against their models. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Check } from "../../../scripts/conformance.ts";
import { pythonEnvironment } from "../../../scripts/python-environment.ts";
import { PythonTrainer } from "../../../src/adapters/trainers/python.ts";
import type { TrainerParam, TrainerRequest, TrainerRows } from "../../../src/core/ports/index.ts";
import { comparePredictions } from "./compare-predictions.ts";
import { type TrainingData, trainingData } from "./training-data.ts";

const ROOT = join(import.meta.dirname, "../../..");
const EXAMPLES = join(ROOT, "examples/python-trainers");
/** Kept from run to run: half a gigabyte of packages. */
const CACHE = join(ROOT, "node_modules/.cache/python-trainers");

const DATA: Readonly<Record<string, TrainingData>> = {
  breast_cancer: trainingData("breast_cancer", "binary", 2),
  flights: trainingData("flights", "binary", 2),
  wine: trainingData("wine", "multiclass", 3),
  digits: trainingData("digits", "multiclass", 10),
  diabetes: trainingData("diabetes", "regression", 0),
};

const TRAINERS: readonly (readonly [program: string, params: Readonly<Record<string, TrainerParam>>])[] = [
  ["train_sklearn.py", { estimator: "HistGradientBoosting", max_iter: 50 }],
  ["train_sklearn.py", { estimator: "RandomForest", n_estimators: 30 }],
  ["train_sklearn.py", { estimator: "ExtraTrees", n_estimators: 30 }],
  ["train_sklearn.py", { estimator: "Linear" }],
  ["train_lightgbm.py", { trees: 60, num_leaves: 15 }],
  ["train_xgboost.py", { n_estimators: 60 }],
];

export default async function pythonTrainers(check: Check): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "orrery-python-trainers-"));
  try {
    await graphsDecideAsModels(check);
    await examplesTrain(check, scratch);
    await environmentsAreKept(check, scratch);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** What compare_graphs.py says, one check for each line. */
async function graphsDecideAsModels(check: Check): Promise<void> {
  const comparing = spawn(pythonEnvironment(), [join(import.meta.dirname, "compare_graphs.py")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((resolve) => comparing.once("close", resolve));
  for await (const line of createInterface({ input: comparing.stdout })) {
    const { case: name, rows, worst, apart } = JSON.parse(line);
    await check(`graph of ${name}`, () => {
      const figures = `${apart} of ${rows} rows apart, at most ${worst.toExponential(1)}`;
      if (apart > 0) throw new Error(figures);
      return figures;
    });
  }
  await check("all graphs were compared", async () => {
    const code = await ended;
    if (code !== 0) throw new Error(`compare_graphs.py ended with code ${code}`);
    return "";
  });
}

/** Each example on each data set that it can take, by way of the port. */
async function examplesTrain(check: Check, scratch: string): Promise<void> {
  const trainer = new PythonTrainer({ cacheFolder: CACHE, workFolder: join(scratch, "work") });
  for (const [name, data] of Object.entries(DATA)) {
    for (const [program, params] of TRAINERS) {
      // Linear models take nothing missing, which preparation sees to for columns: "linear".
      if (params.estimator === "Linear" && name === "flights") continue;
      await check(`${program} ${JSON.stringify(params)} on ${name}`, async () => {
        const request = requestFor(program, params, data);
        const result = await trainer.train(request);
        const compared = comparePredictions(request, result, scratch);
        const measured = Object.entries(result.metrics).map(([metric, value]) => `${metric} ${value.toPrecision(4)}`);
        return `${measured.join(", ")}; ${compared}; ${result.seconds.toFixed(1)} s`;
      });
    }
  }
  await check("a script reads the rows it was given, by any of the ways to read them", async () => {
    writeFileSync(join(scratch, "reads.py"), READS);
    const { flights } = DATA;
    const sum = (values: ArrayLike<number>, round = (value: number) => value) =>
      Array.from(values).reduce((total, value) => (Number.isNaN(value) ? total : total + round(value)), 0);
    const known = ({ matrix, target }: TrainerRows) => ({
      sums: matrix.columns.map((column) => sum(column, Math.fround)),
      y: sum(target.values),
      weights: sum(target.weights ?? []),
    });
    if (flights.validation === null) throw new Error("no validation rows");
    const params = { train: known(flights.train), validation: known(flights.validation) };
    const request = requestFor("reads.py", params, flights);
    const { metrics } = await trainer.train({ ...request, folder: scratch, requirements: join(EXAMPLES, "requirements.txt") });
    if (metrics.compared !== 2) throw new Error("not all was compared");
    return "";
  });
  await check("the same request gives the same model", async () => {
    for (const [program, params] of TRAINERS) {
      const request = requestFor(program, params, DATA.breast_cancer);
      const [one, other] = await Promise.all([trainer.train(request), trainer.train(request)]);
      if (!Buffer.from(one.onnx).equals(other.onnx)) throw new Error(`${program} ${JSON.stringify(params)} gave two models`);
    }
    return "";
  });
  await check("training rows that lack a class are refused by the converters", async () => {
    const { wine } = DATA;
    const values = wine.train.target.values.map((label) => (label === 1 ? 2 : label));
    const lacking = { ...wine, train: { ...wine.train, target: { values } }, validation: null };
    return await refusal(trainer, requestFor("train_sklearn.py", {}, lacking), "TRAIN_PYTHON_PROGRAM_FAILED", "lack some");
  });
}

async function environmentsAreKept(check: Check, scratch: string): Promise<void> {
  const cacheFolder = join(scratch, "environments");
  const trainer = new PythonTrainer({ cacheFolder, workFolder: join(scratch, "work") });
  writeFileSync(join(scratch, "train.py"), PRINT_VERSION);
  const request = { ...requestFor("train.py", {}, DATA.wine), folder: scratch };
  await check("four trainers at once share one environment, which is made once", async () => {
    const made: string[] = [];
    const results = await Promise.all(
      Array.from({ length: 4 }, () =>
        trainer.train({
          ...request,
          requirements: ["six==1.17.0"],
          onOutput: (line) => line.startsWith("Successfully installed") && made.push(line),
        }),
      ),
    );
    if (made.length !== 1) throw new Error(`made ${made.length} times`);
    const [{ environment, log }] = results;
    if (!log.includes("six 1.17.0") || environment.packages.six !== "1.17.0") throw new Error(`not six 1.17.0: ${log}`);
    const again = performance.now();
    await trainer.train({ ...request, requirements: ["# the same\r", "six==1.17.0  # and no other"] });
    return `${(environment.bytes / 1e6).toFixed(0)} MB; used again in ${((performance.now() - again) / 1_000).toFixed(1)} s`;
  });
  await check("a version that does not exist is refused with pip's own words, and asked for again the next time", async () => {
    const impossible = { ...request, requirements: ["six==0.0.99"] };
    await refusal(trainer, impossible, "TRAIN_PYTHON_INSTALL_FAILED", "No matching distribution");
    return await refusal(trainer, impossible, "TRAIN_PYTHON_INSTALL_FAILED", "six==0.0.99");
  });
  await check("an index that cannot be reached is refused", async () => {
    const variables = {
      PATH: process.env.PATH,
      HOME: scratch,
      PIP_INDEX_URL: "http://127.0.0.1:9/simple",
      PIP_RETRIES: "1",
      PIP_CONFIG_FILE: "/dev/null",
    };
    const offline = new PythonTrainer({ cacheFolder, workFolder: join(scratch, "work"), variables });
    return await refusal(
      offline,
      { ...request, requirements: ["six==1.16.0"] },
      "TRAIN_PYTHON_INSTALL_FAILED",
      "the package index could not be reached",
    );
  });
}

const READS = `
import math
from orrery_trainer import load
spec = load()
for rows, known in ((spec.train, spec.params["train"]), (spec.validation, spec.params["validation"])):
    assert rows.x.dtype == "float64" and rows.y.dtype == "int64" and rows.weights.dtype == "float64"
    assert rows.x.shape == rows.frame.shape == (len(rows), len(spec.features)) and list(rows.frame) == spec.features
    for column, name, total in zip(rows.x.T, spec.features, known["sums"]):
        assert math.isclose(rows.frame[name].sum(), total, rel_tol=1e-9), name
        assert math.isclose(column[column == column].sum(), total, rel_tol=1e-9), name
    assert rows.y.sum() == known["y"] and rows.weights.sum() == known["weights"]
assert spec.categorical == [0, 1, 2] and all(count > 1 for count in spec.categories[:3])
spec.save(${JSON.stringify(join(ROOT, "src/adapters/trainers/fixtures/linear.onnx"))}, metrics={"compared": 2})
`;

const PRINT_VERSION = `
import pathlib, six
from orrery_trainer import load
print("six", six.__version__)
load().save(${JSON.stringify(join(ROOT, "src/adapters/trainers/fixtures/linear.onnx"))})
`;

const requestFor = (program: string, params: Readonly<Record<string, TrainerParam>>, data: TrainingData): TrainerRequest => ({
  ...data,
  program,
  params,
  folder: EXAMPLES,
  requirements: "requirements.txt",
  seed: 1,
  // Several threads add numbers in the order in which they come: not every library gives the same model twice with more than one.
  threads: 1,
  timeoutMs: 300_000,
  memoryBytes: 4e9,
});

async function refusal(trainer: PythonTrainer, request: TrainerRequest, code: string, words: string): Promise<string> {
  const error = await trainer.train(request).then(
    () => new Error("it trained"),
    (caught: Error & { code?: string }) => caught,
  );
  if (!("code" in error) || error.code !== code || !error.message.includes(words)) throw error;
  return error.message;
}
