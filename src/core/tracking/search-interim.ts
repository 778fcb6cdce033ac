import type { MetadataStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { trackingErrors } from "./errors.ts";
import type { Search } from "./interfaces.ts";

// Until the room's own search is there: the default order, and no filter.
const plain = (search: Omit<Search, "orderBy"> & { readonly orderBy?: readonly unknown[] | undefined }) => {
  if ((search.filter ?? "") !== "" || (search.orderBy ?? []).length > 0 || search.cursor !== undefined)
    throw trackingErrors.TRACKING_FILTER_INVALID("Filters, orders and cursors are not there yet");
  return search.limit ?? 100;
};

export async function searchRunIds(
  { db }: MetadataStore,
  { workspace, project }: Scope,
  search: Search & { readonly experimentIds?: readonly string[] | undefined },
) {
  const rows = await db
    .selectFrom("runs")
    .select("id")
    .where((each) => each.and({ workspace, project }))
    .$if(search.view !== "all", (each) => each.where("lifecycle", "=", search.view === "deleted" ? "deleted" : "active"))
    .$if(search.experimentIds !== undefined, (each) => each.where("experiment_id", "in", search.experimentIds ?? []))
    .orderBy("started_at", "desc")
    .orderBy("id", "desc")
    .limit(plain(search))
    .execute();
  return { ids: rows.map(({ id }) => id), nextCursor: null };
}

export async function searchExperimentIds({ db }: MetadataStore, { workspace, project }: Scope, search: Search) {
  const rows = await db
    .selectFrom("experiments")
    .select("id")
    .where((each) => each.and({ workspace, project }))
    .$if(search.view !== "all", (each) => each.where("lifecycle", "=", search.view === "deleted" ? "deleted" : "active"))
    .orderBy("updated_at", "desc")
    .limit(plain(search))
    .execute();
  return { ids: rows.map(({ id }) => id), nextCursor: null };
}

export async function searchLoggedModelIds(
  { db }: MetadataStore,
  { workspace, project }: Scope,
  search: Omit<Search, "orderBy"> & {
    readonly experimentIds: readonly string[];
    readonly orderBy?: readonly unknown[] | undefined;
  },
) {
  const rows = await db
    .selectFrom("logged_models")
    .select("id")
    .where((each) => each.and({ workspace, project, lifecycle: "active" }))
    .where("experiment_id", "in", search.experimentIds)
    .orderBy("created_at", "desc")
    .limit(plain(search))
    .execute();
  return { ids: rows.map(({ id }) => id), nextCursor: null };
}
