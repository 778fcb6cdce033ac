import type { QueryReader, TableEngine } from "../ports/index.ts";
import { deliveredRows } from "./delivered-rows.ts";
import { dataErrors } from "./errors.ts";
import { spool, type TextRow } from "./spool.ts";
import { anyText, declarable, type Suggestion } from "./suggest-files.ts";
import { MOST_ROWS, suggestSource } from "./suggest-source.ts";
import { suggestionText } from "./suggestion-text.ts";

export interface SuggestedQuery {
  /** The database's address; never told. */
  readonly url: string;
  /** One SELECT. */
  readonly query: string;
  /** The environment variable from which the suggested definition takes the address. */
  readonly variable: string;
  /** What the source shall be called; as the query's first table unless said. */
  readonly name?: string;
}

/** What is written here for a look, at most. */
const MOST_BYTES = 2 ** 30;

/**
 * Proposes the definition of a source that is not declared yet, from the rows of a query on PostgreSQL: the first million of them, or the
 * first GiB.
 * @throws DATA_EMPTY, DATA_QUERY_INVALID, and what the reader throws
 */
export async function suggestQuery(
  engine: TableEngine,
  { url, query, variable, name = tableOf(query) }: SuggestedQuery,
  { reader, tmpDirectory }: { readonly reader: QueryReader; readonly tmpDirectory: string },
): Promise<Suggestion> {
  let columns: readonly string[] = [];
  const progress = { isWhole: false };
  async function* rows(): AsyncGenerator<TextRow> {
    for await (const { columns: delivered, rows: some } of reader.read({ url, query, order: [] })) {
      columns = delivered;
      const twice = delivered.find((column, place) => delivered.indexOf(column) !== place);
      if (twice !== undefined) throw dataErrors.DATA_QUERY_INVALID(`The query has two columns "${twice}"`);
      for (const row of some) yield Object.fromEntries(delivered.map((column, place) => [column, row[place] ?? null]));
    }
    progress.isWhole = true;
  }
  for await (const batch of spool(name, rows(), tmpDirectory, { rows: MOST_ROWS + 1, bytes: MOST_BYTES })) {
    const texts = declarable(columns.map((column) => ({ column, delivered: "VARCHAR" })));
    const draft = anyText(
      name,
      { kind: "rows", rows: () => [] },
      texts.map(({ column }) => column),
    );
    const suggested = await batch.use(async (path) => {
      const { relation } = await deliveredRows(engine, draft, { ...batch, path });
      return await suggestSource(engine, relation, texts);
    });
    const said = { ...suggested, isSample: suggested.isSample || !progress.isWhole };
    return { name, suggested: said, text: suggestionText(said, { name, origin: { kind: "postgres", variable, query } }) };
  }
  throw dataErrors.DATA_EMPTY("The query finds no rows");
}

/** "SELECT … FROM shop.orders" is called orders. */
const tableOf = (query: string): string => /\bfrom\s+(?:"?[\p{L}\w]+"?\.)?"?([\p{L}\w]+)/iu.exec(query)?.[1] ?? "rows";
