import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { OrreryError } from "../../core/errors.ts";
import type { Trainer, TrainerRequest, TrainerResult } from "../../core/ports/index.ts";
import { pipEnvironment, programEnvironment } from "./child-environment.ts";
import { trainerErrors } from "./errors.ts";
import { failureOf } from "./failure.ts";
import { findPython } from "./find-python.ts";
import { type PythonEnvironment, pythonEnvironment } from "./python-environment.ts";
import { readOutput } from "./read-output.ts";
import { readRequirements } from "./requirements.ts";
import { supervise } from "./supervise.ts";
import { checkRows, temporaryFolder, writeTrainingFiles } from "./training-files.ts";

/** The folder of the Python modules that a trainer may import. */
const MODULES = fileURLToPath(new URL("./python", import.meta.url));
const RUNNER = join(MODULES, "orrery_run.py");
const HALF_AN_HOUR_MS = 30 * 60 * 1_000;

export interface PythonTrainerOptions {
  /** Environments are kept here, one folder each; they can be deleted whenever no trainer runs. */
  readonly cacheFolder: string;
  /** Data in and out while a trainer runs; emptied after it. */
  readonly workFolder: string;
  /** Name on the PATH, or path, of the interpreter that environments are made from. */
  readonly python?: string;
  /** Of which the allowed ones are passed on. This process's own when absent. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
  /** For making an environment, which may compile. */
  readonly installTimeoutMs?: number;
}

/** Trains with a Python program in a virtual environment of its own: Parquet and a spec in, ONNX and metrics out. */
export class PythonTrainer implements Trainer {
  readonly #options: Required<PythonTrainerOptions>;

  constructor(options: PythonTrainerOptions) {
    this.#options = { python: "python3", variables: process.env, installTimeoutMs: HALF_AN_HOUR_MS, ...options };
  }

  async train(request: TrainerRequest): Promise<TrainerResult> {
    checkRows(request);
    const program = programOf(request);
    try {
      const environment = await this.#environment(request);
      const folder = await makeWorkFolder(this.#options.workFolder);
      try {
        return await this.#run(request, program, environment, folder);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    } catch (error) {
      throw translate(error);
    }
  }

  async #environment(request: TrainerRequest): Promise<PythonEnvironment> {
    const { cacheFolder, python, variables, installTimeoutMs } = this.#options;
    const requirements = await readRequirements(request.requirements, request.folder);
    const forPip = pipEnvironment(variables);
    return await pythonEnvironment({
      python: await findPython(python, forPip),
      requirements,
      cacheFolder: resolve(cacheFolder),
      variables: forPip,
      timeoutMs: installTimeoutMs,
      signal: request.signal,
      onOutput: request.onOutput,
    });
  }

  async #run(request: TrainerRequest, program: string, environment: PythonEnvironment, folder: string): Promise<TrainerResult> {
    const { output, specPath } = await writeTrainingFiles(request, folder);
    const { executable, python, packages, bytes } = environment;
    const variables = programEnvironment(this.#options.variables);
    const end = await supervise({
      python: executable,
      command: [executable, RUNNER, program],
      environment: { ...variables, ...settings(request, executable, variables.PATH, folder), ORRERY_SPEC: specPath },
      folder: request.folder,
      timeoutMs: request.timeoutMs,
      memoryBytes: request.memoryBytes,
      signal: request.signal,
      onOutput: request.onOutput,
    });
    const failure = await failureOf(end, request, output.failure);
    if (failure !== null) throw failure;
    return {
      ...(await readOutput(output, { program: request.program, log: end.log })),
      log: end.log,
      seconds: end.seconds,
      peakBytes: end.peakBytes,
      environment: { python, packages, bytes },
    };
  }
}

/**
 * A script's path, or the entry point as it stands.
 * @throws TRAIN_PYTHON_PROGRAM_MISSING
 */
function programOf({ program, folder }: TrainerRequest): string {
  if (!existsSync(folder)) throw trainerErrors.TRAIN_PYTHON_PROGRAM_MISSING(`there is no folder ${folder} to run ${program} in`);
  if (/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$/.test(program)) return program;
  if (!program.endsWith(".py"))
    throw trainerErrors.TRAIN_PYTHON_PROGRAM_MISSING(`"${program}" is neither a script (.py) nor package.module:function`);
  const path = resolve(folder, program);
  if (!existsSync(path)) throw trainerErrors.TRAIN_PYTHON_PROGRAM_MISSING(`there is no script ${path}`);
  return path;
}

/** The variables that make a program run the same wherever it runs, in its environment and within its threads. */
function settings(request: TrainerRequest, executable: string, path: string | undefined, folder: string): Record<string, string> {
  const bin = dirname(executable);
  const threads = String(request.threads);
  return {
    PATH: path === undefined ? bin : `${bin}${delimiter}${path}`,
    VIRTUAL_ENV: dirname(bin),
    TMPDIR: temporaryFolder(folder),
    PYTHONPATH: MODULES,
    PYTHONNOUSERSITE: "1",
    PYTHONUNBUFFERED: "1",
    PYTHONDONTWRITEBYTECODE: "1",
    PYTHONIOENCODING: "utf-8",
    // Where in Python a crash in a library happened.
    PYTHONFAULTHANDLER: "1",
    PYTHONHASHSEED: String(request.seed >>> 0),
    OMP_NUM_THREADS: threads,
    OPENBLAS_NUM_THREADS: threads,
    MKL_NUM_THREADS: threads,
    LOKY_MAX_CPU_COUNT: threads,
  };
}

/** A new folder, after the ones were removed whose process has died before it could. */
async function makeWorkFolder(parent: string): Promise<string> {
  await mkdir(parent, { recursive: true });
  for (const name of await readdir(parent)) {
    const [, pid] = /^trainer-(\d+)-/.exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(parent, name), { recursive: true, force: true });
  }
  return await mkdtemp(join(resolve(parent), `trainer-${process.pid}-`));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** How the file system, SQLite and DuckDB say that files cannot be written; only the first has codes. */
const UNWRITABLE =
  /ENOSPC|EDQUOT|EFBIG|EACCES|EROFS|ENOTDIR|EEXIST|unable to open database|readonly database|No space left|File too large|Disk quota|Permission denied/;

function translate(error: unknown): unknown {
  if (error instanceof OrreryError || !(error instanceof Error) || !UNWRITABLE.test(error.message)) return error;
  return trainerErrors.TRAIN_PYTHON_STORAGE_FAILED(error.message.split("\n", 1)[0] ?? "", { cause: error });
}
