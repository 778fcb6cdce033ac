import type { RunsSearch } from "./address.ts";
import { MOST_COMPARED } from "./address.ts";
import { orderBy } from "./columns.ts";

export const PAGE_SIZE = 50;

/** A search's trials would bury the runs they belong to, whose pages list them. */
export const DEFAULT_FILTER = "tags.orrery.trial IS NULL";

export const filterOf = ({ filter = DEFAULT_FILTER }: RunsSearch): string => filter;

/** What the server is asked for. */
export function runsQuery(search: RunsSearch) {
  const filter = filterOf(search);
  const order = orderBy(search);
  return {
    limit: PAGE_SIZE,
    view: search.view ?? "active",
    ...(filter !== "" && { filter }),
    ...(order !== undefined && { orderBy: order }),
    ...(search.experiment !== undefined && { experimentId: search.experiment }),
    ...(search.cursor !== undefined && { cursor: search.cursor }),
  } as const;
}

/** A condition more: what is there keeps its meaning. */
export function withCondition(filter: string, condition: string): string {
  if (filter === "") return condition;
  if (filter.includes(condition)) return filter;
  return `${/\bOR\b/i.test(filter) ? `(${filter})` : filter} AND ${condition}`;
}

export const CONDITIONS = [
  { label: "running", condition: "status = 'running'" },
  { label: "failed", condition: "status = 'failed'" },
  { label: "not below another run", condition: "parent_run_id IS NULL" },
] as const;

/** Adds or removes a run; the oldest choice goes when there are too many. */
export const toggleSelection = (selected: readonly string[], id: string): string[] =>
  selected.includes(id) ? selected.filter((other) => other !== id) : [...selected, id].slice(-MOST_COMPARED);

/** Chooses a whole page, as far as there is room, or lets it go when all of it is chosen. */
export function togglePage(selected: readonly string[], page: readonly string[]): string[] {
  const others = selected.filter((id) => !page.includes(id));
  const chosen = selected.filter((id) => page.includes(id));
  const room = Math.max(0, MOST_COMPARED - others.length);
  return chosen.length > 0 && chosen.length >= Math.min(page.length, room) ? others : [...others, ...page.slice(0, room)];
}
