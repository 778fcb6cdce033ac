import { expect, test } from "vitest";
import { trainErrors } from "../../core/training/index.ts";
import { whereSupported } from "./where-supported.ts";

test("what is not made for a task is left out with a sentence; what fails otherwise fails", () => {
  const limits: string[] = [];
  expect(whereSupported("a review", limits, () => 7)).toBe(7);
  expect(limits).toEqual([]);
  const refuse = () => {
    throw trainErrors.TRAIN_TASK_UNSUPPORTED("reviews are of labels that are 0 or 1");
  };
  expect(whereSupported("a review", limits, refuse)).toBeNull();
  expect(limits).toEqual(["Without a review: reviews are of labels that are 0 or 1."]);
  const fail = () => {
    throw trainErrors.TRAIN_TOO_FEW_ROWS("3 rows");
  };
  expect(() => whereSupported("a review", limits, fail)).toThrow("3 rows");
});
