/** Pages of a project that is not the server's own lie below this, as MLflow's addresses of it do. */
const PREFIX = "/projects/";

export interface ProjectAddress {
  /** null: the server's own. */
  readonly project: string | null;
  /** What every page's address begins with. */
  readonly base: string;
}

export function readProjectAddress(pathname: string): ProjectAddress {
  const own = { project: null, base: "/" };
  if (!pathname.startsWith(PREFIX)) return own;
  const name = pathname.slice(PREFIX.length).split("/")[0] ?? "";
  if (name === "") return own;
  try {
    return { project: decodeURIComponent(name), base: `${PREFIX}${name}` };
  } catch {
    return own;
  }
}

/** Where a project's models are. */
export const projectAddress = (project: string): string => `${PREFIX}${encodeURIComponent(project)}/models`;
