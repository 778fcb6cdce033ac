import { type KeyedEntities, type KeyValue, keyText, nearestName } from "../../core/data/index.ts";
import type { ColumnType, EntityDefinition } from "../../core/definitions/index.ts";
import { parseTimestamp } from "../../core/time.ts";
import { eraseErrors } from "./errors.ts";

/** Keys as they come over the wire: one object an entity. */
export type WireKeys = readonly Readonly<Record<string, string | number | boolean>>[];

/** @throws ERASE_ENTITY_UNKNOWN with the nearest name */
export function entityNamed(entities: ReadonlyMap<string, EntityDefinition>, name: string): EntityDefinition {
  const found = entities.get(name);
  if (found !== undefined) return found;
  const nearest = nearestName(name, [...entities.keys()]);
  throw eraseErrors.ERASE_ENTITY_UNKNOWN(
    `The project has no entity "${name}"; ${nearest === null ? `it has ${[...entities.keys()].join(", ") || "none"}` : `did you mean "${nearest}"?`}`,
    { details: { entities: [...entities.keys()] } },
  );
}

/** @throws ERASE_KEY_INVALID */
export function parseKeys(entity: EntityDefinition, wire: WireKeys): KeyedEntities {
  const invalid = (why: string) => eraseErrors.ERASE_KEY_INVALID(`A key of entity "${entity.name}" ${why}`);
  if (wire.length === 0) throw invalid("is missing");
  const names = Object.keys(entity.keys);
  const keys = wire.map((given) => {
    const unknown = Object.keys(given).find((name) => !names.includes(name));
    if (unknown !== undefined) {
      const nearest = nearestName(unknown, names);
      throw invalid(`is not called "${unknown}"${nearest === null ? "" : `; did you mean "${nearest}"?`}`);
    }
    return Object.fromEntries(
      names.map((name) => {
        if (!Object.hasOwn(given, name)) throw invalid(`lacks "${name}"`);
        const value = parseValue(given[name], entity.keys[name]);
        if (value === null) throw invalid(`has a "${name}" that is no ${entity.keys[name]}`);
        return [name, value];
      }),
    );
  });
  return { types: entity.keys, keys };
}

const INTEGERS = { int32: [-(2n ** 31n), 2n ** 31n - 1n], int64: [-(2n ** 63n), 2n ** 63n - 1n] } as const;

function parseValue(given: string | number | boolean, type: ColumnType): KeyValue | null {
  const text = String(given);
  switch (type) {
    case "string":
      return typeof given === "boolean" ? null : text;
    case "bool":
      return text === "true" || text === "false" ? text === "true" : null;
    case "float64":
      return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : null;
    case "timestamp":
      try {
        return parseTimestamp(text);
      } catch {
        return null;
      }
    case "int32":
    case "int64": {
      if (!/^-?\d+$/.test(text) || (typeof given === "number" && !Number.isSafeInteger(given))) return null;
      const [least, greatest] = INTEGERS[type];
      const value = BigInt(text);
      if (value < least || value > greatest) return null;
      return type === "int64" ? value : Number(value);
    }
  }
}

/** The keys as text again, for the journal. */
export const wireOf = ({ types, keys }: KeyedEntities): WireKeys =>
  keys.map((values) => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, keyText(value, types[name])])));
