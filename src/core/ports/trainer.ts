/** JSON, as a project file writes a trainer's own parameters. */
export type TrainerParam = string | number | boolean | null | readonly TrainerParam[] | { readonly [key: string]: TrainerParam };

/** Prepared rows: column-major numbers (NaN for missing) and what they are fitted to. */
export interface TrainerRows {
  readonly matrix: { readonly rows: number; readonly columns: readonly Float64Array[] };
  readonly target: { readonly values: Uint8Array | Int32Array | Float64Array; readonly weights?: Float64Array };
}

export interface TrainerFeature {
  readonly name: string;
  /** 0 for numbers; for categories how many there are: the column holds codes 0 … n-1, NaN for one not seen. */
  readonly categories: number;
}

export interface TrainerRequest {
  /** "train.py", relative to `folder`, or an entry point "package.module:function". */
  readonly program: string;
  /** Where the program and a requirements file are looked for: the project's folder. Absolute. */
  readonly folder: string;
  /** Path of a requirements file, or its lines. Every package is pinned (==). */
  readonly requirements: string | readonly string[];
  readonly params: Readonly<Record<string, TrainerParam>>;
  readonly task: "binary" | "multiclass" | "regression";
  /** How many classes the target's numbers stand for: 2 for binary; 0 for regression. */
  readonly classes: number;
  readonly features: readonly TrainerFeature[];
  readonly train: TrainerRows;
  readonly validation: TrainerRows | null;
  readonly seed: number;
  readonly threads: number;
  /** For the program alone; making its environment has a limit of its own. */
  readonly timeoutMs: number;
  /** Resident memory of the program and everything it starts; null for no limit. */
  readonly memoryBytes: number | null;
  /** Ends the program and whatever it has started. */
  readonly signal?: AbortSignal;
  /** Called with each line that the program prints, as it comes. */
  readonly onOutput?: (line: string) => void;
}

/** What the trainer's own model says about the first rows of a part: the imported graph must say the same. */
export interface TrainerPredictions {
  readonly part: "train" | "validation";
  readonly rows: number;
  /** Numbers a row: 1 (a value, or the probability of class 1), or one probability a class. */
  readonly outputs: number;
  /** Row-major, rows * outputs. */
  readonly values: Float64Array;
}

export interface TrainerEnvironment {
  /** Version of the interpreter, as "3.11.7". */
  readonly python: string;
  /** Version by package: what is installed, including what the pinned packages need themselves. */
  readonly packages: Readonly<Record<string, string>>;
  /** Size of the environment on disk. */
  readonly bytes: number;
}

export interface TrainerResult {
  /** An ONNX file that takes one float32 matrix [rows, features]. */
  readonly onnx: Uint8Array;
  /** What the program measured itself; finite numbers. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Null where the program saved none. */
  readonly predictions: TrainerPredictions | null;
  /** Output and errors in the order they came; the middle is left out of a long one. */
  readonly log: string;
  /** How long the program ran. */
  readonly seconds: number;
  /** The most resident memory that the program and its children were seen to hold. */
  readonly peakBytes: number;
  readonly environment: TrainerEnvironment;
}

/** Fits a model outside of this process, in a language that is not this one's. Leaves neither processes nor files behind. */
export interface Trainer {
  /** @throws TRAIN_PYTHON_… errors: of the environment, the program or what it handed back; `details.log` has its output */
  train(request: TrainerRequest): Promise<TrainerResult>;
}
