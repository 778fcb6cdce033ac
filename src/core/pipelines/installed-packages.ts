import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";

export interface InstalledPackage {
  /** Place below the folder with node_modules, "node_modules/kysely": one name can be installed in two versions. */
  readonly name: string;
  readonly version: string;
  /** Hash of the package's archive; "" where no lock says it. */
  readonly integrity: string;
}

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** The lock that npm keeps in node_modules: what is installed, not what should be. */
const HIDDEN_LOCK = join("node_modules", ".package-lock.json");

const locks = new Map<string, { mtimeMs: number; packages: Readonly<Record<string, LockedPackage>> }>();

/**
 * These packages and all that they depend on, by name. Where the packages were not installed by npm there is no hidden lock, and only
 * the packages themselves count.
 * @param manifests absolute paths of package.json files below a node_modules
 */
export function installedPackages(manifests: Iterable<string>): InstalledPackage[] {
  const found = new Map<string, InstalledPackage>();
  for (const manifest of manifests) {
    const folder = dirname(manifest);
    const root = folder.slice(0, folder.indexOf(`${sep}node_modules${sep}`));
    const place = relative(root, folder).split(sep).join("/");
    const packages = readLock(root);
    if (packages === null) found.set(folder, { name: place, version: versionOf(manifest), integrity: "" });
    else addClosure(place, root, packages, found);
  }
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function addClosure(
  start: string,
  root: string,
  packages: Readonly<Record<string, LockedPackage>>,
  found: Map<string, InstalledPackage>,
) {
  const waiting = [start];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    const key = join(root, place);
    const locked = packages[place];
    if (found.has(key) || locked === undefined) continue;
    found.set(key, { name: place, version: locked.version ?? "", integrity: locked.integrity ?? "" });
    const needed = { ...locked.dependencies, ...locked.optionalDependencies, ...locked.peerDependencies };
    for (const name of Object.keys(needed)) {
      const at = resolvePlace(name, place, packages);
      if (at !== null) waiting.push(at);
    }
  }
}

/** Where Node finds `name` from inside the package at `place`: in its own node_modules, or in one further up. */
function resolvePlace(name: string, place: string, packages: Readonly<Record<string, LockedPackage>>): string | null {
  for (let at = place; ; at = at.slice(0, Math.max(0, at.lastIndexOf("/node_modules/")))) {
    const candidate = `${at === "" ? "" : `${at}/`}node_modules/${name}`;
    if (packages[candidate] !== undefined) return candidate;
    if (at === "") return null;
  }
}

function readLock(root: string): Readonly<Record<string, LockedPackage>> | null {
  const path = join(root, HIDDEN_LOCK);
  if (!existsSync(path)) return null;
  const { mtimeMs } = statSync(path);
  const kept = locks.get(path);
  if (kept?.mtimeMs === mtimeMs) return kept.packages;
  // npm writes it; its shape is documented as package-lock's.
  const lock = JSON.parse(readFileSync(path, "utf8")) as { packages?: Readonly<Record<string, LockedPackage>> };
  const packages = lock.packages ?? {};
  locks.set(path, { mtimeMs, packages });
  return packages;
}

function versionOf(manifest: string): string {
  // Every installed package has a manifest with a version.
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version?: string };
  return version ?? "";
}
