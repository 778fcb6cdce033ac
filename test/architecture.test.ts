import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");

/** The table of ARCHITECTURE.md: a file whose path starts with the key may import paths that start with one of the values. */
const MAY_IMPORT: readonly (readonly [from: string, allowed: readonly string[]])[] = [
  ["src/contract/", ["src/contract/"]],
  ["src/core/", ["src/contract/", "src/core/"]],
  ["src/adapters/", ["src/adapters/", "src/core/ports/", "src/core/errors.ts", "src/core/time.ts", "src/core/scope.ts"]],
  // Steps are runs too: their code finds theirs where a tracker's would be.
  ["src/platform/", ["src/platform/", "src/adapters/", "src/core/", "src/contract/", "src/client/tracking/index.ts"]],
  ["src/server/inference/", ["src/server/inference/", "src/adapters/", "src/core/"]],
  ["src/server/features/", ["src/server/features/", "src/server/inference/", "src/adapters/", "src/core/", "src/contract/"]],
  ["src/server/", ["src/server/", "src/platform/", "src/core/", "src/contract/"]],
  ["src/client/tracking/", ["src/client/", "src/contract/", "src/core/errors.ts"]],
  ["src/client/", ["src/contract/"]],
  [
    "src/cli/",
    ["src/cli/", "src/client/", "src/platform/", "src/server/", "src/core/", "src/contract/", "src/adapters/", "examples/"],
  ],
  ["ui/src/", ["ui/src/", "src/client/index.ts", "src/contract/"]],
];

/** Packages that the browser-safe rooms may use. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "src/contract/": ["zod"],
  // Only Node has processes, files and asynchronous contexts.
  "src/client/tracking/": [
    "node:async_hooks",
    "node:child_process",
    "node:crypto",
    "node:fs",
    "node:os",
    "node:path",
    "node:stream",
  ],
  "src/client/": ["zod"],
};

/** Inside core a room imports only rooms before it, through their index.ts. */
const CORE_ORDER = [
  "definitions",
  "data",
  "project",
  "features",
  "training",
  "explain",
  "tracking",
  "registry",
  "access",
  "pipelines",
  "observability",
  "serving",
  "monitoring",
];

interface Import {
  readonly from: string;
  readonly to: string;
}

function importsOf(file: string, text: string): Import[] {
  const specifiers = [...text.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*"([^"]+)"/g)].map((match) => match[1] ?? "");
  return specifiers.map((specifier) => ({
    from: file,
    to: specifier.startsWith(".") ? relative(ROOT, join(ROOT, dirname(file), specifier)) : specifier,
  }));
}

function objection({ from, to }: Import): string | null {
  // Tests and what only they use may assemble what they need.
  if (/\.test\.tsx?$|\/(fixtures|test-support)\//.test(from)) return null;
  const local = to.startsWith("src/") || to.startsWith("ui/") || to.startsWith("examples/");
  if (!local) {
    const packages = Object.entries(PACKAGES).find(([folder]) => from.startsWith(folder))?.[1];
    return packages === undefined || packages.includes(to) ? null : `${from} imports the package ${to}`;
  }
  const rule = MAY_IMPORT.find(([folder]) => from.startsWith(folder));
  if (rule !== undefined && !rule[1].some((allowed) => to.startsWith(allowed))) return `${from} imports ${to}`;
  return coreObjection(from, to);
}

function coreObjection(from: string, to: string): string | null {
  const [, fromRoom] = /^src\/core\/([a-z]+)\//.exec(from) ?? [];
  const [, toRoom] = /^src\/core\/([a-z]+)\//.exec(to) ?? [];
  if (toRoom === undefined || toRoom === "ports" || fromRoom === undefined || fromRoom === toRoom) return null;
  if (!to.endsWith(`core/${toRoom}/index.ts`)) return `${from} reaches into ${to} past its index.ts`;
  return CORE_ORDER.indexOf(toRoom) < CORE_ORDER.indexOf(fromRoom)
    ? null
    : `${from} imports ${to}, which comes later in the loop`;
}

const sources = () => globSync(["src/**/*.ts", "ui/src/**/*.ts", "ui/src/**/*.tsx"], { cwd: ROOT });

describe("the import table", () => {
  it("is kept by every file", () => {
    const imports = sources().flatMap((file) => importsOf(file, readFileSync(join(ROOT, file), "utf8")));
    expect(imports.length).toBeGreaterThan(100);
    expect(imports.map(objection).filter((problem) => problem !== null)).toEqual([]);
  });

  it.each([
    ["src/core/data/x.ts", 'import { openDuckDb } from "../../adapters/tables/duckdb.ts";'],
    ["src/core/data/x.ts", 'import { f } from "../features/plan.ts";'],
    ["src/core/data/x.ts", 'import { f } from "../training/index.ts";'],
    ["src/contract/x.ts", 'import fs from "node:fs";'],
    ["src/client/x.ts", 'import { f } from "../server/app.ts";'],
    ["src/client/index.ts", 'import { f } from "./tracking/index.ts";'],
    ["src/client/tracking/x.ts", 'import pg from "pg";'],
    ["ui/src/x.tsx", 'import { f } from "../../src/client/tracking/index.ts";'],
    ["src/adapters/tables/x.ts", 'import { f } from "../../core/data/index.ts";'],
    ["ui/src/x.tsx", 'import { f } from "../../src/core/errors.ts";'],
    ["src/server/x.ts", 'const f = import("../cli/main.ts");'],
  ])("would notice %s saying %s", (file, text) => {
    expect(importsOf(file, text).map(objection)).not.toContain(null);
  });
});
