/** Search parameters as the router writes them: each value as JSON. */
const withSearch = (path: string, search: Readonly<Record<string, unknown>>): string =>
  `${path}?${new URLSearchParams(Object.entries(search).map(([name, value]): [string, string] => [name, JSON.stringify(value)]))}`;

/**
 * Our page that a link of MLflow's clients means, as they print it after a run: "#/experiments/1/runs/abc". Null for what is no such link.
 * Tabs and whatever else their own pages take are left out.
 */
export function pageOfMlflowLink(hash: string): string | null {
  if (!hash.startsWith("#/")) return null;
  const [path = "", query = ""] = hash.slice(2).split("?", 2);
  const [room, id, below, child, tab, ...rest] = path
    .split("/")
    .filter((step) => step !== "")
    .map(decoded);
  switch (room) {
    case "experiments": {
      if (id === undefined) return "/experiments";
      if (below !== "runs" || child === undefined) return withSearch("/runs", { experiment: id });
      const page = `/runs/${encodeURIComponent(child)}`;
      return tab?.startsWith("artifact") && rest.length > 0 ? withSearch(page, { artifact: rest.join("/") }) : page;
    }
    case "compare-runs":
      return withSearch("/runs/compare", { ids: idsOf(query) });
    case "models":
      return id === undefined ? "/models" : `/models/${encodeURIComponent(id)}`;
    default:
      return null;
  }
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}

/** `runs=["a","b"]` */
function idsOf(query: string): string[] {
  try {
    const ids: unknown = JSON.parse(new URLSearchParams(query).get("runs") ?? "[]");
    return Array.isArray(ids) ? ids.filter((id) => typeof id === "string") : [];
  } catch {
    return [];
  }
}
