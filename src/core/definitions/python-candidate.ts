import type { TrainerParam } from "../ports/index.ts";
import { type Duration, durationToMicros, type Micros } from "../time.ts";

/** "512MB", "4GB": powers of ten, as memory limits are written. */
export type MemorySize = `${number}${"MB" | "GB"}`;

/** A program that trains outside of this process and hands an ONNX model back. */
export interface PythonCandidate {
  readonly kind: "python";
  /** Unique among the model's candidates. */
  readonly name: string;
  /** "train.py", relative to the project file, or an entry point "package.module:function". */
  readonly program: string;
  /** Path of a requirements file, relative to the project file, or its lines; every package pinned (==). */
  readonly requirements: string | readonly string[];
  /** Handed to the program as they are. */
  readonly params: Readonly<Record<string, TrainerParam>>;
  /** How features become columns: as trees want them (categories as codes, missing stays missing) or as linear models do. */
  readonly columns: "tree" | "linear";
  /** For the program alone; making its environment has a limit of its own. */
  readonly timeout: Micros;
  /** Most resident memory in bytes; null for no limit. */
  readonly memory: number | null;
}

export interface PythonOptions {
  readonly requirements: string | readonly string[];
  readonly params?: Readonly<Record<string, TrainerParam>>;
  readonly columns?: "tree" | "linear";
  readonly timeout?: Duration;
  readonly memory?: MemorySize;
  /** The program's own name when absent. */
  readonly name?: string;
}

/**
 * `python("train_sklearn.py", { requirements: "requirements.txt", params: { C: 0.5 }, columns: "linear" })`
 * @throws TypeError for a program that is neither a script nor an entry point, or a size that is none
 */
export function python(program: string, options: PythonOptions): PythonCandidate {
  const [, stem] = /^(?:.*\/)?([^/]+)\.py$/.exec(program) ?? /^[\w.]+:(\w+)$/.exec(program) ?? [];
  if (stem === undefined)
    throw new TypeError(
      `python("${program}") is neither a script, as "train.py", nor an entry point, as "package.module:function"`,
    );
  const { requirements, params = {}, columns = "tree", timeout = "30m", memory, name = stem } = options;
  return {
    kind: "python",
    name,
    program,
    requirements,
    params,
    columns,
    timeout: durationToMicros(timeout),
    memory: memory === undefined ? null : memoryToBytes(memory),
  };
}

/** Files that a program is certain to need, relative to the project file. An entry point names a module, which may lie anywhere. */
export const pythonFiles = ({ program, requirements }: PythonCandidate): string[] => [
  ...(program.endsWith(".py") ? [program] : []),
  ...(typeof requirements === "string" ? [requirements] : []),
];

function memoryToBytes(size: MemorySize): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(MB|GB)$/.exec(size) ?? [];
  if (amount === undefined) throw new TypeError(`"${size}" is no size of memory: write "512MB" or "4GB"`);
  return Math.round(Number(amount) * (unit === "GB" ? 1e9 : 1e6));
}
