import type { TableEngine } from "../ports/index.ts";
import { quoteIdentifier, quoteLiteral } from "./sql.ts";

/** Longer shapes are sentences, and more runs no code. */
const LONGEST = 40;
const MOST_RUNS = 12;
const CLASSES = { A: "[A-Z]", a: "[a-z]", "9": "[0-9]" } as const;
const HEX = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";

/**
 * A regular expression for texts that are all made in one way, as "[A-Z]{2}-[0-9]{3,4}": null where they are not, or where the way
 * says nothing, as words of any length.
 */
export async function suggestPattern(engine: TableEngine, relation: string, column: string): Promise<string | null> {
  const name = quoteIdentifier(column);
  const known = `SELECT ${name} AS v FROM ${relation} WHERE ${name} IS NOT NULL`;
  const [uuid] = await engine.rows(`SELECT bool_and(regexp_full_match(v, '${HEX}')) AS all FROM (${known})`);
  if (uuid?.all === true) return HEX;
  const collapsed = ["[A-Z]+", "[a-z]+", "[0-9]+"].reduce(
    (sql, run, at) => `regexp_replace(${sql}, '${run}', '${"Aa9"[at]}', 'g')`,
    "v",
  );
  const shapes = await engine.rows(
    `SELECT DISTINCT shape FROM (SELECT CASE WHEN length(v) > ${LONGEST} THEN NULL ELSE ${collapsed} END AS shape FROM (${known})) LIMIT 2`,
  );
  const shape = shapes.length === 1 ? shapes[0]?.shape : null;
  // What has spaces in it is prose, whatever it looks like.
  if (typeof shape !== "string" || shape === "" || /\s/.test(shape)) return null;
  const parts = [...shape].map((part) => ({ part, of: isRun(part) ? CLASSES[part] : null }));
  const runs = parts.filter(({ of }) => of !== null).length;
  if (runs === 0 || runs > MOST_RUNS) return null;
  const whole = quoteLiteral(parts.map(({ part, of }) => (of === null ? escaped(part) : `(${of}+)`)).join(""));
  const lengths = Array.from({ length: runs }, (_, run) => `length(regexp_extract(v, ${whole}, ${run + 1}))`);
  const [row = {}] = await engine.rows(
    `SELECT ${lengths.map((length, run) => `min(${length}) AS low${run}, max(${length}) AS high${run}`).join(", ")} FROM (${known})`,
  );
  let run = 0;
  const pattern = parts.map(({ part, of }) => {
    if (of === null) return escaped(part);
    const [low, high] = [Number(row[`low${run}`]), Number(row[`high${run}`])];
    run += 1;
    return low === high ? (low === 1 ? of : `${of}{${low}}`) : `${of}{${low},${high}}`;
  });
  const isFixed = lengths.every((_, at) => row[`low${at}`] === row[`high${at}`]);
  // One run of letters or digits of any length is any word.
  return parts.length === 1 && !isFixed ? null : pattern.join("");
}

const isRun = (part: string): part is keyof typeof CLASSES => Object.hasOwn(CLASSES, part);
const escaped = (part: string): string => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
