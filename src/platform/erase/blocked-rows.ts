import { blockedCondition } from "../../core/data/index.ts";
import type { ProjectDefinition, SourceDefinition } from "../../core/definitions/index.ts";
import { entityReach, projectEntities } from "../../core/features/index.ts";
import type { MetadataStore } from "../../core/ports/index.ts";
import type { Scope } from "../../core/scope.ts";

/** SQL over typed rows of a source that is true for those of whom was erased; null where nobody of the source's was. */
export type BlockedRows = (source: SourceDefinition) => string | null;

interface Blocks {
  readonly entity: string;
  readonly salt: string;
  readonly hashes: readonly string[];
}

/** What the journal says of keys that are not taken in again. */
export async function blockedRows(
  { db }: Pick<MetadataStore, "db">,
  { workspace, project: name }: Scope,
  project: ProjectDefinition,
): Promise<BlockedRows> {
  const rows = await db
    .selectFrom("erasures")
    .select(["entity", "salt", "hashes"])
    .where((each) => each.and({ workspace, project: name, blocks: 1 }))
    .execute();
  return blockedBy(
    project,
    // The journal wrote them.
    rows.map(({ entity, salt, hashes }) => ({ entity, salt, hashes: JSON.parse(hashes) as string[] })),
  );
}

function blockedBy(project: ProjectDefinition, all: readonly Blocks[]): BlockedRows {
  const entities = projectEntities(project);
  const conditions = new Map<string, string[]>();
  for (const [key, blocks] of Map.groupBy(all, ({ entity, salt }) => JSON.stringify([entity, salt]))) {
    const [{ entity: name, salt }] = blocks;
    const entity = entities.get(name);
    // Of an entity that the project has no more, no row can be told.
    if (entity === undefined || key === "") continue;
    const hashes = [...new Set(blocks.flatMap((each) => each.hashes))];
    for (const [source, ways] of entityReach(project, entity).sources)
      for (const columns of ways)
        conditions.set(source, [...(conditions.get(source) ?? []), blockedCondition(entity.keys, columns, { salt, hashes })]);
  }
  return ({ name }) => {
    const found = conditions.get(name);
    return found === undefined ? null : `(${found.join(" OR ")})`;
  };
}
