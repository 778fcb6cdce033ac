import { OrreryError } from "../../core/errors.ts";

/**
 * What the work gives, or null where it is not made for the model's task yet; `limits` then gets a sentence for the card. Other errors
 * are thrown on.
 */
export function whereSupported<T>(what: string, limits: string[], work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof OrreryError && error.code === "TRAIN_TASK_UNSUPPORTED")) throw error;
    limits.push(`Without ${what}: ${error.message}.`);
    return null;
  }
}
