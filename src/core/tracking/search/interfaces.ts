import type { MetadataStore } from "../../ports/index.ts";
import type { Scope } from "../../scope.ts";
import type { Search } from "../interfaces.ts";

/** The keys of one page, in the search's order; who asked loads the records. */
export interface FoundKeys<Key> {
  readonly ids: readonly Key[];
  /** Opaque; null on the last page. It belongs to the filter, order and view it came with. */
  readonly nextCursor: string | null;
}

/** @throws TRACKING_FILTER_INVALID, TRACKING_CURSOR_INVALID, TRACKING_LIMIT_INVALID */
export type FindKeys<Key, Query extends object = Search> = (
  store: Pick<MetadataStore, "db" | "engine">,
  scope: Scope,
  search: Query,
) => Promise<FoundKeys<Key>>;

/** Newest start first, then id. All experiments of the project when none are named; none when the list is empty. */
export interface RunSearch extends Search {
  readonly experimentIds?: readonly string[] | undefined;
}

/** Without digest every data set of the name, and the other way round. */
export interface DatasetChoice {
  readonly name?: string | undefined;
  readonly digest?: string | undefined;
}

/** Newest first, then id. */
export interface LoggedModelSearch extends Omit<Search, "orderBy"> {
  readonly experimentIds: readonly string[];
  /** Which data sets' metrics the filter looks at; without a metric in the filter, models that have any metric on one of them. */
  readonly datasets?: readonly DatasetChoice[] | undefined;
  readonly orderBy?:
    | readonly { readonly field: string; readonly ascending: boolean; readonly dataset?: DatasetChoice | undefined }[]
    | undefined;
}

export interface VersionKey {
  readonly model: string;
  readonly version: number;
}
