import { toOrreryError } from "../errors.ts";
import { codeDigest } from "./code-digest.ts";
import { pipelineErrors } from "./errors.ts";
import type { PlanStep } from "./plan.ts";

/** Digests of the code of every step an engine has run, so that a warm worker with old code is noticed. */
export class StepCode {
  readonly #filesByModule = new Map<string, readonly string[]>();

  /**
   * @throws PIPELINE_MODULE_MISSING, PIPELINE_IMPORT_COMPUTED when a cached step loads something that no digest covers
   */
  async digestOf({ name, module, cache, files }: PlanStep): Promise<string> {
    const { sha256, computed } = await codeDigest(module, files);
    if (cache && files === undefined && computed.length > 0)
      throw pipelineErrors.PIPELINE_IMPORT_COMPUTED(
        `Step ${name} is cached, but what it loads is computed: ${computed.join("; ")}`,
      );
    this.#filesByModule.set(module, files ?? []);
    return sha256;
  }

  /** Of every module so far, as they are on disk now. */
  async digests(): Promise<Readonly<Record<string, string>>> {
    const all = await Promise.all(
      [...this.#filesByModule].map(async ([module, files]) => [module, await digestOrProblem(module, files)] as const),
    );
    return Object.fromEntries(all);
  }
}

/** A module of another step that is gone or broken by now is that step's problem, but it is a change. */
const digestOrProblem = (module: string, files: readonly string[]) =>
  codeDigest(module, files).then(
    ({ sha256 }) => sha256,
    (error: unknown) => toOrreryError(error).code,
  );
