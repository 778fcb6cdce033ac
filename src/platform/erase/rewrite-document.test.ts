import { expect, test } from "vitest";
import { type ErasedContent, rewriteDocument } from "./rewrite-document.ts";

const hash = (digit: string) => digit.repeat(64);
const part = (sha256: string, rows: number) => ({
  ...{ inputHash: "i", file: "f", sha256, bytes: 100, rows, quarantine: null, quarantined: 0, nulls: {} },
  violations: [{ column: "email", rule: "pattern", severity: "warn", rows: 2, samples: ["someone"] }],
});
const snapshot = {
  ...{
    formatVersion: 1,
    id: "snap-1",
    source: "customers",
    contentHash: "before",
    asOf: 1,
    parent: null,
    columns: { id: "string" },
  },
  ...{ parts: [part(hash("a"), 3), part(hash("b"), 2)], disjoint: true, rows: 5, bytes: 200, createdAt: 1 },
  report: { rows: 5, quarantined: 0, violations: [], nullShares: [] },
};
const content: ErasedContent = {
  mark: { erasure: "erasure-1", at: 7 },
  files: new Map([[hash("a"), { from: hash("a"), to: { sha256: hash("c"), bytes: 60 }, rows: 2, erased: 1, nulls: {} }]]),
  sets: new Map([
    [
      hash("d"),
      {
        ...{ from: hash("d"), to: { sha256: hash("e"), bytes: 50 }, rows: 8, erased: 2, nulls: {} },
        ...{ labelled: 7, positives: 1, pending: 1, censored: 0 },
      },
    ],
  ]),
  others: new Map([[hash("f"), { sha256: hash("0"), bytes: 10, mediaType: "m" }]]),
  rows: { "snap-1": 4 },
  texts: new Set(["ann"]),
  isNamed: ({ id }) => id === "ann",
};
const rewritten = (document: unknown) => rewriteDocument(document, content);

test("snapshots and training sets are as they are now, wherever they stand", () => {
  const set = {
    file: { sha256: hash("d"), bytes: 90, mediaType: "m" },
    plan: {},
    snapshots: {},
    labelled: 9,
    missingShare: {},
    rows: 10,
  };
  expect(rewritten({ needs: { ingest: { snapshots: { customers: snapshot } }, set } })).toMatchObject({
    needs: {
      ingest: {
        snapshots: {
          customers: {
            id: "snap-1",
            rows: 4,
            bytes: 160,
            parts: [
              { sha256: hash("c"), rows: 2, violations: [{ samples: [] }] },
              { sha256: hash("b"), violations: [{ samples: ["someone"] }] },
            ],
            erased: [{ erasure: "erasure-1", at: 7, rows: 1, contentHash: "before" }],
          },
        },
      },
      set: { file: { sha256: hash("e"), bytes: 50, mediaType: "m" }, rows: 8, labelled: 7 },
    },
  });
});

test("another artifact is named with its bytes", () => {
  expect(rewritten({ background: { sha256: hash("f"), bytes: 11, mediaType: "m" } })).toEqual({
    background: { sha256: hash("0"), bytes: 10, mediaType: "m" },
  });
});

test("a file is called by its new name within other texts, too", () => {
  expect(rewritten(`${hash("a")}:17:${hash("b")}`)).toBe(`${hash("c")}:17:${hash("b")}`);
  expect(rewritten(`f${hash("a")}`), "what is longer is another").toBe(`f${hash("a")}`);
});

test("samples and examples that show the entity are taken out, and no others", () => {
  const violation = { column: "id, plan", rule: "key", samples: ["ann, single", "bob, single", "joann"] };
  expect(rewritten({ error: { details: { violations: [violation] } } })).toEqual({
    error: { details: { violations: [{ ...violation, samples: ["bob, single", "joann"] }] } },
  });
  const example = (id: string) => ({ at: 1, fields: { id }, prediction: null, got: "1", expected: "2" });
  expect(rewritten([example("ann"), example("bob")])).toEqual([example("bob")]);
});

test("a document that nothing of it is in stays the one it is", () => {
  const other = { ...snapshot, parts: [part(hash("b"), 2)] };
  for (const document of [other, [1, null, { a: [] }], "ann", null, { samples: ["ann"] }])
    expect(rewritten(document)).toBe(document);
});
