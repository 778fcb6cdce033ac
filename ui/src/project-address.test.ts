import { describe, expect, it } from "vitest";
import { projectAddress, readProjectAddress } from "./project-address.ts";

describe("the project in an address", () => {
  it("is the one after /projects/, and the server's own without it", () => {
    expect(readProjectAddress("/projects/churn/models/m")).toEqual({ project: "churn", base: "/projects/churn" });
    for (const path of ["/models", "/", "/projects/", "/projectsmith/a"])
      expect(readProjectAddress(path)).toEqual({ project: null, base: "/" });
  });

  it("is read back as it was written, and left alone where it cannot be read", () => {
    expect(readProjectAddress(projectAddress("a b/c")).project).toBe("a b/c");
    expect(readProjectAddress("/projects/%E0%A4%A/models").project).toBeNull();
  });
});
