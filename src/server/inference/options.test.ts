import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { isLoopback } from "./access.ts";
import { inferenceOptions } from "./options.ts";

const directory = mkdtempSync(join(tmpdir(), "orrery-options-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const file = (name: string, content: string) => {
  writeFileSync(join(directory, name), content);
  return join(directory, name);
};

const NAMED = ["--project", "flights", "--endpoint", "late"];
const refusal = (args: string[], environment: NodeJS.ProcessEnv = {}): unknown => {
  try {
    return inferenceOptions([...NAMED, ...args], environment);
  } catch (error) {
    return error;
  }
};

describe("the inference server's options", () => {
  it("have a place in the state folder for everything of one endpoint", () => {
    const { paths, host, clock } = inferenceOptions([...NAMED, "--state-dir", "/state", "--workspace", "team"], {});
    expect([host, clock]).toEqual(["127.0.0.1", "system"]);
    expect(paths).toMatchObject({
      online: "/state/online/team/flights",
      deployment: "/state/deployments/team/flights/late",
      predictions: "/state/predictions/team/flights/late",
    });
  });

  it("take the token from a file or the environment, the file first", () => {
    const tokenOf = (args: string[], environment: NodeJS.ProcessEnv) => inferenceOptions([...NAMED, ...args], environment).token;
    expect(tokenOf([], {})).toBeNull();
    expect(tokenOf([], { ORRERY_TOKEN: "" })).toBeNull();
    expect(tokenOf([], { ORRERY_TOKEN: "a" })).toBe("a");
    expect(tokenOf(["--token-file", file("token", "b\n")], { ORRERY_TOKEN: "a" })).toBe("b");
  });

  it("need a token off loopback", () => {
    for (const host of ["0.0.0.0", "::", "192.168.1.4", "127.evil.example", "models.example"]) {
      expect(refusal(["--host", host])).toMatchObject({ code: "SERVING_TOKEN_MISSING", kind: "invalid" });
      expect(refusal(["--host", host], { ORRERY_TOKEN: "a" })).toMatchObject({ host });
    }
    expect(["127.0.0.1", "127.1.2.3", "localhost", "::1"].every(isLoopback)).toBe(true);
  });

  it.each([
    [["--port", "80.5"], {}, "--port"],
    [["--port", "70000"], {}, "--port"],
    [["--workers", "0"], {}, "--workers"],
    [["--workers", "many"], {}, "--workers"],
    [["--clock", "sundial"], {}, "--clock"],
    [["--endpoint", "../other"], {}, "--endpoint"],
    [["--endpoint", ""], {}, "--endpoint"],
    [["--project", "a/b"], {}, "--project"],
    [["--workspace", ".."], {}, "--workspace"],
    [["--colour", "red"], {}, "--colour"],
    [[], { ORRERY_TRACE_RATIO: "1%" }, "ORRERY_TRACE_RATIO"],
    [["--token-file", file("empty", " \n")], {}, "empty"],
  ])("are refused with %j %j, by name", (args, environment, named) => {
    expect(refusal(args, environment)).toMatchObject({ code: "SERVING_OPTION_INVALID", message: expect.stringContaining(named) });
  });

  it("name the token file that is not there, not what is in it", () => {
    expect(refusal(["--token-file", "/nowhere/token"])).toMatchObject({ code: "SECRET_MISSING" });
  });
});
