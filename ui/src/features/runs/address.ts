/** What the list of runs shows, as its address says it: a link shows others the same list. */
export interface RunsSearch {
  /** Id of the experiment; all of them when absent. */
  readonly experiment?: string;
  /** In the search language; absent: DEFAULT_FILTER, "": every run. */
  readonly filter?: string;
  /** A column's key. */
  readonly sort?: string;
  readonly descending?: boolean;
  readonly view?: "deleted";
  /** Keys of the columns between the run and its times; those that most runs have when absent. */
  readonly columns?: readonly string[];
  /** Where this page begins, opaque; absent on the first. */
  readonly cursor?: string;
  /** Counted from 1. */
  readonly page?: number;
}

const text = (value: unknown): string | undefined =>
  typeof value === "string" ? value : typeof value === "number" ? String(value) : undefined;
const filled = (value: unknown): string | undefined => text(value) || undefined;
const texts = (value: unknown): string[] | undefined =>
  Array.isArray(value) ? [...new Set(value.flatMap((item) => filled(item) ?? []))] : undefined;

/** Whatever somebody typed into the address: what cannot be meant is left out. */
export function readRunsSearch(search: Record<string, unknown>): RunsSearch {
  const experiment = filled(search.experiment);
  const filter = text(search.filter);
  const sort = filled(search.sort);
  const columns = texts(search.columns);
  const cursor = filled(search.cursor);
  const page = Number.isSafeInteger(search.page) && Number(search.page) > 1 ? Number(search.page) : undefined;
  return {
    ...(experiment !== undefined && { experiment }),
    ...(filter !== undefined && { filter }),
    ...(sort !== undefined && { sort }),
    ...(sort !== undefined && search.descending === true && { descending: true }),
    ...(search.view === "deleted" && { view: search.view }),
    ...(columns !== undefined && { columns }),
    ...(cursor !== undefined && { cursor }),
    ...(cursor !== undefined && page !== undefined && { page }),
  };
}

/** At most this many runs are compared at once: more columns cannot be read side by side. */
export const MOST_COMPARED = 20;

export const readCompareSearch = (search: Record<string, unknown>): { ids: string[] } => ({
  ids: (texts(search.ids) ?? []).slice(0, MOST_COMPARED),
});

/** Which file or folder of the run's artifacts is open; absent: the first folder. */
export interface RunSearch {
  readonly artifact?: string;
}
export function readRunSearch({ artifact }: Record<string, unknown>): RunSearch {
  const path = filled(artifact);
  return path === undefined ? {} : { artifact: path };
}

/** Another list begins at its first page. */
export function otherList({ cursor: _cursor, page: _page, ...kept }: RunsSearch, change: RunsSearch): RunsSearch {
  return { ...kept, ...change };
}

/** The same without a choice: an absent one is a missing property. */
export function without<Key extends keyof RunsSearch>(search: RunsSearch, ...keys: readonly Key[]): Omit<RunsSearch, Key> {
  const rest: RunsSearch = { ...search };
  return Object.fromEntries(Object.entries(rest).filter(([key]) => !keys.some((left) => left === key))) as Omit<RunsSearch, Key>;
}
