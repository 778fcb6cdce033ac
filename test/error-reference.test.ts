import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { errorReference, listErrors, REFERENCE } from "../scripts/error-reference.ts";

it("docs/reference/errors.md lists every error of the code with its kind and hint", async () => {
  const errors = await listErrors();
  expect(errors.length).toBeGreaterThan(50);
  expect(readFileSync(REFERENCE, "utf8")).toBe(errorReference(errors));
});

it("every hint is a sentence that tells what to do", async () => {
  for (const { code, hint } of await listErrors()) expect(hint, code).toMatch(/^\S.{10,}[.?:)}\]]$/);
});
