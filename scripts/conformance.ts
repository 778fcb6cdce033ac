/** `npm run conformance -- NAME…`: runs test/conformance/<name>/run.ts against the real tools of other people; all of them without a name. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const FOLDER = join(import.meta.dirname, "../test/conformance");

/**
 * One thing that has to hold. `prove` throws where it does not, and returns what it measured, for the report.
 */
export type Check = (name: string, prove: () => Promise<string> | string) => Promise<void>;

/** What a run.ts exports by default. */
export type Conformance = (check: Check) => Promise<void>;

let passed = 0;
let failed = 0;

const check: Check = async (name, prove) => {
  try {
    const figures = await prove();
    passed += 1;
    console.log(`ok      ${name}${figures === "" ? "" : `: ${figures}`}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
};

const available = readdirSync(FOLDER).filter((name) => existsSync(join(FOLDER, name, "run.ts")));
const wanted = process.argv.length > 2 ? process.argv.slice(2) : available;
for (const name of wanted) {
  if (!available.includes(name)) throw new Error(`there is no ${name} in test/conformance; there are ${available.join(", ")}`);
  const { default: run }: { default: Conformance } = await import(join(FOLDER, name, "run.ts"));
  try {
    await run(check);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name} could not run: ${error instanceof Error ? error.stack : String(error)}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
