import { existsSync } from "node:fs";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kysely, sql } from "kysely";
import type { Clock, Database, MetadataStore } from "../../core/ports/index.ts";
import { metadataErrors } from "./errors.ts";
import { MIGRATIONS } from "./migrations/index.ts";
import { openSqlite } from "./sqlite.ts";

const ROWS_AT_ONCE = 2_000;
type TableName = keyof Database & string;

/**
 * Fills an empty store of either engine from a file that `backup` of either engine made, an older format migrated on the way; the file
 * itself is only read. All or nothing, in one transaction: nobody sees half of it.
 *
 * @throws STATE_MISSING, STATE_NEWER, STATE_CORRUPT, STATE_NOT_EMPTY
 */
export async function restoreInto(store: MetadataStore, path: string, clock: Clock): Promise<void> {
  if (!existsSync(path)) throw metadataErrors.STATE_MISSING(`There is no backup in ${path}`);
  const folder = await mkdtemp(join(tmpdir(), "orrery-restore-"));
  let source: MetadataStore | undefined;
  try {
    source = await opened(path, folder, clock);
    const tables = await tablesOf(source);
    await store.transaction(async (db) => {
      for (const table of tables)
        if ((await sql`select 1 as found from ${sql.table(table)} limit 1`.execute(db)).rows.length > 0)
          throw metadataErrors.STATE_NOT_EMPTY(`There are rows in ${table} already`);
      for (const table of tables) if (source !== undefined) await copyTable(source, store, db, table);
    });
  } finally {
    await source?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function opened(path: string, folder: string, clock: Clock): Promise<MetadataStore> {
  const file = await openSqlite({ path, clock, readOnly: true });
  const [checked] = (await sql<{ quick_check: string }>`select quick_check from pragma_quick_check limit 1`.execute(file.db))
    .rows;
  const version = await file.db.selectFrom("meta").select("value").where("key", "=", "formatVersion").executeTakeFirst();
  if (checked?.quick_check !== "ok") {
    await file.close();
    throw metadataErrors.STATE_CORRUPT(`${path} is damaged: ${checked?.quick_check}`);
  }
  if (Number(version?.value) >= MIGRATIONS.length) return file;
  await file.close();
  const copy = join(folder, "metadata.db");
  await copyFile(path, copy);
  return openSqlite({ path: copy, clock });
}

/** Every table but `meta`, each after those it refers to. */
async function tablesOf({ db }: MetadataStore): Promise<readonly TableName[]> {
  const names = await sql<{ name: TableName }>`
    select name from sqlite_schema where type = 'table' and name <> 'meta' order by name`.execute(db);
  const references = await sql<{ child: string; parent: string }>`
    select s.name as child, f."table" as parent from sqlite_schema as s join pragma_foreign_key_list(s.name) as f
    where s.type = 'table' and f."table" <> s.name`.execute(db);
  const ordered = new Set<TableName>();
  while (ordered.size < names.rows.length) {
    const ready = names.rows.filter(
      ({ name }) =>
        !ordered.has(name) &&
        references.rows.every(({ child, parent }) => child !== name || [...ordered].some((done) => done === parent)),
    );
    if (ready.length === 0) throw metadataErrors.STATE_CORRUPT("The backup's tables refer to each other in a circle");
    for (const { name } of ready) ordered.add(name);
  }
  return [...ordered];
}

async function copyTable<Table extends TableName>(
  source: MetadataStore,
  target: MetadataStore,
  db: Kysely<Database>,
  table: Table,
): Promise<void> {
  const { rows: columns } = await sql<{ name: keyof Database[Table] & string }>`
    select name from pragma_table_info(${table}) where pk > 0 order by pk`.execute(source.db);
  const key = sql.join(columns.map(({ name }) => sql.ref(name)));
  let last: Database[Table] | undefined;
  for (;;) {
    const after = last;
    const where = after === undefined ? sql`` : sql`where (${key}) > (${sql.join(columns.map(({ name }) => after[name]))})`;
    const { rows } = await sql<Database[Table]>`
      select * from ${sql.table(table)} ${where} order by ${key} limit ${sql.lit(ROWS_AT_ONCE)}`.execute(source.db);
    await target.insertMany(db, table, rows);
    last = rows.at(-1);
    if (rows.length < ROWS_AT_ONCE) return;
  }
}
