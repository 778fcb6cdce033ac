import { describe, expect, test } from "vitest";
import { python } from "./python-candidate.ts";

describe("a Python candidate", () => {
  test("is named after its program and gets trees' columns, half an hour and no limit of memory", () => {
    expect(python("trainers/train_sklearn.py", { requirements: "requirements.txt" })).toEqual({
      kind: "python",
      name: "train_sklearn",
      program: "trainers/train_sklearn.py",
      requirements: "requirements.txt",
      params: {},
      columns: "tree",
      timeout: 30 * 60 * 1e6,
      memory: null,
    });
  });

  test("may be an entry point, with everything said", () => {
    const options = {
      requirements: ["six==1.17.0"],
      params: { C: 0.5 },
      columns: "linear",
      timeout: "90s",
      memory: "1.5GB",
    } as const;
    expect(python("trainers.linear:fit", { ...options, name: "theirs" })).toEqual({
      ...options,
      kind: "python",
      name: "theirs",
      program: "trainers.linear:fit",
      timeout: 90e6,
      memory: 1.5e9,
    });
    expect(python("trainers.linear:fit", options).name).toBe("fit");
  });

  test.each(["train", "train.sh", "trainers.linear", ".py", ""])("cannot be %j", (program) => {
    expect(() => python(program, { requirements: [] })).toThrow(TypeError);
  });

  test.each(["4", "4TB", "-1GB", "GB"])("cannot be limited to %j", (memory) => {
    expect(() => python("train.py", { requirements: [], memory: memory as "4GB" })).toThrow(TypeError);
  });
});
