import { type KeyColumns, splitReference } from "../data/index.ts";
import {
  type EntityDefinition,
  type FeatureReference,
  keyFields,
  type ProjectDefinition,
  type SourceDefinition,
} from "../definitions/index.ts";

/** How rows are known to be an entity's. */
export interface EntityReach {
  readonly entity: EntityDefinition;
  /** By source: the columns that hold the entity's keys; several where a row may be of the entity in several ways. */
  readonly sources: ReadonlyMap<string, readonly KeyColumns[]>;
  /** Columns that name the entity in rows that are somebody else's: contracts refer by them to rows of the entity. */
  readonly mentions: readonly { readonly source: string; readonly columns: KeyColumns }[];
}

type Declared = Pick<ProjectDefinition, "sources" | "features" | "services" | "models">;

/** The entities that the project's views describe, by name. */
export const projectEntities = ({ features }: Pick<Declared, "features">): ReadonlyMap<string, EntityDefinition> =>
  new Map(features.flatMap(({ entity }) => (Object.keys(entity.keys).length === 0 ? [] : [[entity.name, entity] as const])));

/**
 * Where the rows of an entity are: in sources that have its key columns, that are asked for its features by columns of other names (label
 * sources and joined ones, also through `.as()`), and whose contracts refer to its rows in others.
 */
export function entityReach(project: Declared, entity: EntityDefinition): EntityReach {
  const sources = new Map<string, KeyColumns[]>();
  const known = new Map(project.sources.map((source) => [source.name, source]));
  const add = (source: SourceDefinition, columns: KeyColumns) => {
    const found = known.get(source.name) ?? source;
    if (Object.entries(entity.keys).some(([key, type]) => found.contracts[columns[key]]?.type !== type)) return;
    const before = sources.get(source.name) ?? [];
    if (before.some((each) => JSON.stringify(each) === JSON.stringify(columns))) return;
    sources.set(source.name, [...before, columns]);
  };
  const own: KeyColumns = Object.fromEntries(Object.keys(entity.keys).map((key) => [key, key]));
  for (const source of project.sources) add(source, own);
  for (const { labels, features } of project.models) for (const columns of askedBy(features, entity)) add(labels.source, columns);
  for (const source of project.sources)
    if (source.origin.kind === "joined")
      for (const columns of askedBy(source.origin.features, entity)) {
        add(source.origin.base, columns);
        add(source, columns);
      }
  const mentions: EntityReach["mentions"][number][] = [];
  // A source that refers to one that refers to one has the rows too, so it is looked again until nothing is new.
  for (let isNew = true; isNew; ) {
    isNew = false;
    for (const source of project.sources) {
      if (sources.has(source.name)) continue;
      for (const columns of referring(source, entity, sources)) add(source, columns);
      isNew ||= sources.has(source.name);
    }
  }
  for (const source of project.sources)
    for (const columns of referring(source, entity, sources))
      if (!(sources.get(source.name) ?? []).some((each) => JSON.stringify(each) === JSON.stringify(columns)))
        mentions.push({ source: source.name, columns });
  return { entity, sources, mentions };
}

/** Fields by which features of the entity are asked for, under each view's own names. */
function askedBy(features: readonly FeatureReference[], entity: EntityDefinition): KeyColumns[] {
  return features.flatMap(({ from }) => {
    if (from.kind === "on-demand") return askedBy(from.inputs, entity);
    if (Object.entries(entity.keys).some(([key, type]) => from.entity.keys[key] !== type)) return [];
    const fields = keyFields(from);
    return [Object.fromEntries(Object.keys(entity.keys).map((key) => [key, fields[key]]))];
  });
}

/** Columns of a source that refer to those which hold the entity's keys in others; of several keys the first that refer to each. */
function referring(source: SourceDefinition, entity: EntityDefinition, reached: EntityReach["sources"]): KeyColumns[] {
  const keys = Object.keys(entity.keys);
  const columnsOf = (key: string) =>
    Object.entries(source.contracts).flatMap(([column, { reference }]) => {
      if (reference === undefined) return [];
      const [name, referred] = splitReference(reference);
      return reached.get(name)?.some((each) => each[key] === referred) === true ? [column] : [];
    });
  const found = keys.map(columnsOf);
  if (found.some((columns) => columns.length === 0)) return [];
  if (keys.length === 1) return found[0].map((column) => ({ [keys[0]]: column }));
  return [Object.fromEntries(keys.map((key, index) => [key, found[index][0]]))];
}
