/** A step to run somewhere: a module, the export to call, and JSON input. Payloads travel by artifact reference, never in here. */
export interface StepTask {
  readonly id: string;
  /** Absolute file URL of the module whose default export is a StepFunction. */
  readonly module: string;
  readonly input: unknown;
  /** Log and trace ids, virtual time and anything else every step needs. */
  readonly context: Readonly<Record<string, unknown>>;
  readonly timeoutMs?: number;
  /** Digest of the code of this and of earlier modules, by module URL: a worker that has loaded other code is not used again. */
  readonly code?: Readonly<Record<string, string>>;
}

export interface StepHandle {
  /** The step's JSON output. @throws the step's OrreryError, EXECUTOR_WORKER_LOST when its process died */
  readonly result: Promise<unknown>;
  cancel(): void;
}

/** Runs steps outside the control plane's event loop: worker processes here, a cluster engine elsewhere. */
export interface Executor {
  submit(task: StepTask, onProgress?: (progress: unknown) => void): StepHandle;
  close(): Promise<void>;
}
