import type { OrreryError } from "../../core/errors.ts";
import type { StepTask } from "../../core/ports/index.ts";

/** What a step's function gets beside its input. */
export interface StepContext {
  readonly taskId: string;
  readonly context: Readonly<Record<string, unknown>>;
  /** Any JSON; shown while the step runs, not kept. */
  progress(progress: unknown): void;
  /** Aborts shortly before a cancelled step's process is killed. */
  readonly signal: AbortSignal;
}

/** The default export of a step's module: JSON in, JSON out, in a process of its own. */
export type StepFunction<Input = unknown, Output = unknown> = (input: Input, context: StepContext) => Promise<Output>;

/** To a worker. */
export type Command =
  | { readonly kind: "run"; readonly task: Pick<StepTask, "id" | "module" | "input" | "context"> }
  | { readonly kind: "cancel" };

/** From a worker, about the task it runs. */
export type Report =
  | { readonly kind: "progress"; readonly progress: unknown }
  | { readonly kind: "result"; readonly result: unknown }
  | { readonly kind: "error"; readonly error: ReturnType<OrreryError["toJSON"]>; readonly stack: string | null };
