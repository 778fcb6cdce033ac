/** Writes docs/reference/errors.md from the code; `test/error-reference.test.ts` fails when they differ. */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ERROR_KINDS, type ErrorEntry } from "../src/core/errors.ts";

const ROOT = join(import.meta.dirname, "..");
export const REFERENCE = join(ROOT, "docs/reference/errors.md");

interface Listed extends ErrorEntry {
  readonly code: string;
  readonly file: string;
}

const isEntry = (value: unknown): value is ErrorEntry => typeof value === "function" && "kind" in value && "hint" in value;

/** Every error that any file declares by an exported catalogue; INTERNAL is the one for what nobody foresaw. */
export async function listErrors(): Promise<Listed[]> {
  const files = globSync("src/**/*.ts", { cwd: ROOT }).filter(
    (file) => !file.endsWith(".test.ts") && /= defineErrors\(/.test(readFileSync(join(ROOT, file), "utf8")),
  );
  const listed: Listed[] = [
    {
      code: "INTERNAL",
      kind: "internal",
      hint: "This is a defect in Orrery; the log has the details.",
      file: "src/core/errors.ts",
    },
  ];
  for (const file of files) {
    const module: Record<string, unknown> = await import(pathToFileURL(join(ROOT, file)).href);
    for (const catalogue of Object.values(module)) {
      if (typeof catalogue !== "object" || catalogue === null) continue;
      for (const [code, entry] of Object.entries(catalogue))
        if (isEntry(entry)) listed.push({ code, kind: entry.kind, hint: entry.hint, file });
    }
  }
  return [...new Map(listed.map((entry) => [entry.code, entry])).values()].sort((a, b) => (a.code < b.code ? -1 : 1));
}

export function errorReference(errors: readonly Listed[]): string {
  const kinds = Object.entries(ERROR_KINDS).map(([kind, { status, exitCode }]) => `| ${kind} | ${status} | ${exitCode} |`);
  const rows = errors.map(({ code, kind, hint }) => `| \`${code}\` | ${kind} | ${hint.replaceAll("|", "\\|")} |`);
  return `# Errors

Every error has a stable code, a kind, a message of one line and a hint. The HTTP API answers \`{code, kind, message, hint, details}\` with the kind's status; a command prints message, code and hint
and exits with the kind's code. A required token that is missing or wrong answers 401. Made by \`node scripts/error-reference.ts\`.

| kind | HTTP status | exit code |
|---|---|---|
${kinds.join("\n")}

| code | kind | what to do |
|---|---|---|
${rows.join("\n")}
`;
}

if (import.meta.main) writeFileSync(REFERENCE, errorReference(await listErrors()));
