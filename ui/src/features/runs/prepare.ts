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

/** Adds or removes a run. */
export const toggleSelection = (selected: readonly string[], id: string): string[] =>
  selected.includes(id) ? selected.filter((other) => other !== id) : [...selected, id];

/** Chooses a whole page, or lets it go when all of it is chosen; what was chosen on other pages stays. */
export function togglePage(selected: readonly string[], page: readonly string[]): string[] {
  const others = selected.filter((id) => !page.includes(id));
  return page.every((id) => selected.includes(id)) ? others : [...others, ...page];
}

/** What the button says, and whether there is something to compare. */
export function comparison(selected: readonly string[]): { label: string; possible: boolean } {
  if (selected.length < 2) return { label: "Select runs to compare", possible: false };
  if (selected.length > MOST_COMPARED) return { label: `At most ${MOST_COMPARED} can be compared`, possible: false };
  return { label: `Compare ${selected.length} runs`, possible: true };
}
