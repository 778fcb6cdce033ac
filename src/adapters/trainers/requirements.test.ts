import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readRequirements } from "./requirements.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "orrery-requirements-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("the requirements of a Python trainer", () => {
  test.each([
    "scikit-learn==1.9.1",
    "numpy == 2.4.6",
    "onnx===1.23.2",
    "uvicorn[standard]==0.30.0",
    'tomli==2.0.1 ; python_version < "3.11"',
    "six==1.17.0 --hash=sha256:0000",
    "numpy==2.4.6  # the newest that numba takes",
    "--index-url https://index.example/simple",
    "# nothing",
    "",
  ])("may hold %j", async (line) => {
    expect(await readRequirements([line], folder)).toBe(line);
  });

  test.each([
    ["scikit-learn", "is not pinned"],
    ["numpy>=2", "is not pinned"],
    ["numpy==2.*", "is not pinned"],
    ["numpy>=2,==2.4.6", "is not pinned"],
    ["numpy==2.4.6,<3", "is not pinned"],
    ["numpy~=2.4", "is not pinned"],
    ["package @ https://example.com/package.whl", "is not pinned"],
    ["./folder", "is not pinned"],
    ["-r other.txt", "points to another file"],
    ["-e .", "does not belong here"],
    ["--pre", "does not belong here"],
  ])("may not hold %j, which %s", async (line, why) => {
    const refused = readRequirements(["numpy==2.4.6", line], folder);
    await expect(refused).rejects.toMatchObject({ code: "TRAIN_PYTHON_REQUIREMENTS_INVALID", details: { line: 2 } });
    await expect(refused).rejects.toThrow(why);
  });

  test("are read from a file beside the project, with lines that go on after a backslash", async () => {
    const text = "six==1.17.0 \\\n  --hash=sha256:00 \\\n  --hash=sha256:01\nnumpy>=2\n";
    writeFileSync(join(folder, "requirements.txt"), text);
    await expect(readRequirements("requirements.txt", folder)).rejects.toThrow('requirements.txt, line 4: "numpy>=2"');
    writeFileSync(join(folder, "requirements.txt"), text.replace(">=2", "==2.4.6"));
    expect(await readRequirements("requirements.txt", folder)).toContain("numpy==2.4.6");
  });

  test("say which file is not there", async () => {
    await expect(readRequirements("none.txt", folder)).rejects.toMatchObject({
      code: "TRAIN_PYTHON_REQUIREMENTS_INVALID",
      message: expect.stringContaining("none.txt"),
    });
  });
});
