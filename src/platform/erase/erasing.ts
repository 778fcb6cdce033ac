import {
  type ErasedFile,
  type ErasedPlace,
  entityCondition,
  type IngestEngines,
  type KeyColumns,
  type KeyedEntities,
  type Snapshot,
} from "../../core/data/index.ts";
import type { ColumnType } from "../../core/definitions/index.ts";
import {
  type EntityReach,
  ErasedLabels,
  type ErasedTrainingSet,
  entityReach,
  projectEntities,
} from "../../core/features/index.ts";
import type { ArtifactRef } from "../../core/ports/index.ts";
import type { Stage } from "../stages/stage.ts";
import { entityNamed, parseKeys, type WireKeys } from "./parse-keys.ts";

export interface EraseQuestion {
  readonly entity: string;
  readonly keys: WireKeys;
  readonly dryRun: boolean;
  /** Every snapshot that is on record, each once, newest first. */
  readonly snapshots: readonly Snapshot[];
  /** Training sets that are on record. */
  readonly sets: readonly { readonly sha256: string; readonly where: string }[];
  /** Other files of runs. */
  readonly files: readonly { readonly sha256: string; readonly where: string }[];
  /** Artifacts that nothing names. */
  readonly unnamed: readonly string[];
}

export interface EraseAnswer {
  readonly files: readonly ErasedFile[];
  readonly sets: readonly ErasedTrainingSet[];
  /** Samples of training rows beside models: files in the tree of artifacts, and what takes their place. */
  readonly samples: readonly { readonly path: string; readonly from: string; readonly to: ArtifactRef }[];
  /** Rows of each changed snapshot as it can be read now, by id. */
  readonly rows: Readonly<Record<string, number>>;
  /** Of `unnamed`, those that hold rows of the entities. */
  readonly unnamed: readonly string[];
  readonly places: readonly ErasedPlace[];
}

/** What an erasure's parts share. */
export interface Erasing {
  readonly opened: Stage;
  readonly question: EraseQuestion;
  readonly engines: IngestEngines;
  readonly entities: KeyedEntities;
  readonly reach: EntityReach;
  readonly labels: ErasedLabels;
  /** Adds to what was found in a place. */
  note(what: string, where: string, rows: number): void;
  places(): readonly ErasedPlace[];
}

/** Its label rows are to be closed. @throws ERASE_ENTITY_UNKNOWN, ERASE_KEY_INVALID */
export async function openErasing(opened: Stage, question: EraseQuestion): Promise<Erasing> {
  const entity = entityNamed(projectEntities(opened.project), question.entity);
  const entities = parseKeys(entity, question.keys);
  const engines = { engine: await opened.engine(), artifacts: opened.artifacts, tmpDirectory: opened.paths.tmp };
  const places = new Map<string, ErasedPlace>();
  return {
    ...{ opened, question, engines, entities },
    reach: entityReach(opened.project, entity),
    labels: await ErasedLabels.open(engines),
    note(what, where, rows) {
      const key = JSON.stringify([what, where]);
      places.set(key, { what, where, rows: (places.get(key)?.rows ?? 0) + rows });
    },
    places: () => [...places.values()],
  };
}

/** The entity's keys by their own names: all that is known of a source, view or endpoint which the project has no more. */
export const ownKeys = ({ entity }: EntityReach): KeyColumns =>
  Object.fromEntries(Object.keys(entity.keys).map((key) => [key, key]));

/** SQL that is true for the entities' rows of a source by any of the ways in which they are theirs; null where the columns are not there. */
export function conditionOn(
  { opened, entities, reach }: Erasing,
  source: string,
  columns: Readonly<Record<string, ColumnType>>,
): string | null {
  const isDeclared = opened.project.sources.some(({ name }) => name === source);
  const known = reach.sources.get(source) ?? (isDeclared ? [] : [ownKeys(reach)]);
  const ways = known.flatMap((by) => entityCondition(entities, by, columns) ?? []);
  return ways.length === 0 ? null : `(${ways.join(" OR ")})`;
}
