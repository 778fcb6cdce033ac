import { type KeyColumns, type KeyedEntities, keyText } from "../data/index.ts";
import type { EntityDefinition } from "../definitions/index.ts";
import type { OnlineStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { type Micros, parseTimestamp } from "../time.ts";
import { entityKey, viewKey } from "./online-view.ts";

export interface OnlineToErase {
  readonly scope: Scope;
  readonly view: { readonly name: string; readonly entity: Pick<EntityDefinition, "keys"> };
  /** Which of the view's keys hold the entity's. */
  readonly columns: KeyColumns;
  readonly entities: KeyedEntities;
  /** Only counts. */
  readonly dryRun: boolean;
}

const REMOVED_AT_ONCE = 10_000;

/**
 * Removes an entity's records of every generation and version of a view, and those of entities whose keys hold its own; they are found by
 * going through all of the view's keys. @returns how many
 */
export async function eraseOnline(
  online: OnlineStore,
  { scope, view, columns, entities, dryRun }: OnlineToErase,
): Promise<number> {
  const names = Object.keys(view.entity.keys);
  const matches = keyMatcher(names, columns, entities);
  // A store may name a key twice.
  const found = new Set<string>();
  let entries: [string, null][] = [];
  const flush = async () => {
    if (!dryRun) await online.putMany(entries);
    entries = [];
  };
  const prefix = viewKey(scope, view.name).slice(0, -1);
  for await (const key of online.keys(prefix)) {
    if (!matches(key.slice(prefix.length))) continue;
    found.add(key);
    entries.push([key, null]);
    if (entries.length >= REMOVED_AT_ONCE) await flush();
  }
  await flush();
  return found.size;
}

/** A list of JSON values, or the hash of a long one, after the texts that name generation and version; parts of a record follow it. */
const ENTITY = /^(?:[^[#"]*"(?:[^"\\]|\\.)*")*[^[#"]*(\[(?:[^"\]]|"(?:[^"\\]|\\.)*")*\]|#[0-9a-f]{64})/;

/** Tells of the part of a key behind its view's name whether it is of one of the entities. */
export function keyMatcher(
  names: readonly string[],
  columns: KeyColumns,
  { types, keys }: KeyedEntities,
): (rest: string) => boolean {
  const places = Object.keys(types).map((key) => ({ key, place: names.indexOf(columns[key]) }));
  const wanted = new Set(keys.map((values) => JSON.stringify(places.map(({ key }) => textOf(values[key])))));
  const hashes = new Set(
    // A long key is there by its hash, which only the whole key gives.
    keys.flatMap((values) => {
      if (places.length !== names.length) return [];
      const ordered = names.map((_, at) => values[places.find(({ place }) => place === at)?.key ?? ""]);
      return entityKey("", ordered) ?? [];
    }),
  );
  return (rest) => {
    const text = ENTITY.exec(rest)?.[1];
    if (text === undefined) return false;
    if (text.startsWith("#")) return hashes.has(text);
    // Numbers as they stand there: those of 64 bits would lose digits.
    const parts = [...text.slice(1, -1).matchAll(/"(?:[^"\\]|\\.)*"|[^,]+/g)].map(([part]) => part);
    return wanted.has(JSON.stringify(places.map(({ place }) => parts[place])));
  };
}

const textOf = (value: KeyedEntities["keys"][number][string]) =>
  typeof value === "bigint" ? String(value) : JSON.stringify(value);

/** Whether the fields of a request name one of the entities. */
export function fieldsMatcher(
  columns: KeyColumns,
  { types, keys }: KeyedEntities,
): (fields: Readonly<Record<string, unknown>>) => boolean {
  const names = Object.keys(types);
  const wanted = new Set(keys.map((values) => JSON.stringify(names.map((key) => comparable(values[key], types[key])))));
  return (fields) => {
    const found = names.map((key) => fields[columns[key]]);
    if (found.some((value) => value === undefined || value === null)) return false;
    return wanted.has(JSON.stringify(names.map((key, index) => comparable(found[index], types[key]))));
  };
}

function comparable(value: unknown, type: KeyedEntities["types"][string]): string {
  if (type === "timestamp") {
    const micros = typeof value === "number" ? value : instantOf(String(value));
    return micros === null ? String(value) : keyText(micros, "timestamp");
  }
  if (type === "float64") return String(Number(value));
  return String(value);
}

/** null for what is no moment. */
function instantOf(text: string): Micros | null {
  try {
    return parseTimestamp(text);
  } catch {
    return null;
  }
}
