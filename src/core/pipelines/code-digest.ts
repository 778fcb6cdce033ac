import { hash } from "node:crypto";
import { globSync, readFileSync, realpathSync, statSync } from "node:fs";
import { createRequire, findPackageJSON, isBuiltin } from "node:module";
import { dirname, extname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Import, init, parse } from "es-module-lexer";
import { pipelineErrors } from "./errors.ts";
import { installedPackages } from "./installed-packages.ts";

export interface CodeDigest {
  /** Over the bytes of every file and the version and integrity of every package. */
  readonly sha256: string;
  /** Own files that the code consists of, absolute. */
  readonly files: readonly string[];
  /** name@version of the packages it can reach. */
  readonly packages: readonly string[];
  /** Computed imports, as "file: import(…)": what they load is not in the digest. */
  readonly computed: readonly string[];
}

/** What one file's text says about what it loads. */
interface FileFacts {
  readonly mtimeMs: number;
  readonly size: number;
  readonly sha256: string;
  /** Absolute paths of own files. */
  readonly files: readonly string[];
  /** package.json of imported packages. */
  readonly packages: readonly string[];
  readonly computed: readonly string[];
}

const CODE = new Set([".ts", ".mts", ".js", ".mjs"]);
const factsByFile = new Map<string, FileFacts>();

/**
 * A digest of a module and of everything it loads: static, literal and template imports, JSON, `new URL("./x", import.meta.url)`,
 * and packages with all that they depend on. Equal code has an equal digest wherever the project lies. Files are read again only
 * when their size or time of change differs.
 *
 * @param entry file URL
 * @param files file URLs of what the imports do not show; code among them is followed too
 * @throws PIPELINE_MODULE_MISSING
 */
export async function codeDigest(entry: string, files: readonly string[] = []): Promise<CodeDigest> {
  await init();
  const start = fileURLToPath(entry);
  fileFacts(start);
  const root = rootOf(start);
  const own = new Map<string, FileFacts>();
  const packages = new Set<string>();
  const computed: string[] = [];
  const waiting = [start, ...files.map((file) => fileURLToPath(file))];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (own.has(path)) continue;
    const facts = fileFacts(path);
    own.set(path, facts);
    waiting.push(...facts.files);
    for (const each of facts.packages) packages.add(each);
    computed.push(...facts.computed.map((text) => `${relative(root, path)}: ${text}`));
  }
  const installed = installedPackages(packages);
  const lines = [
    ...[...own].map(([path, { sha256 }]) => `${relative(root, path).split(sep).join("/")}\0${sha256}`),
    ...installed.map(({ name, version, integrity }) => `${name}\0${version}\0${integrity}`),
  ];
  return {
    sha256: hash("sha256", lines.toSorted().join("\n")),
    files: [...own.keys()],
    packages: installed.map(({ name, version }) => `${name}@${version}`),
    computed,
  };
}

/** The folder that paths in a digest start from. */
function rootOf(path: string): string {
  const manifest = findPackageJSON(pathToFileURL(path));
  return dirname(manifest ?? path);
}

function fileFacts(path: string): FileFacts {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile()) throw pipelineErrors.PIPELINE_MODULE_MISSING(`There is no file ${path}`);
  const kept = factsByFile.get(path);
  if (kept !== undefined && kept.mtimeMs === stat.mtimeMs && kept.size === stat.size) return kept;
  const bytes = readFileSync(path);
  const found = { files: new Set<string>(), packages: new Set<string>(), computed: [] as string[] };
  if (CODE.has(extname(path))) {
    const source = bytes.toString("utf8");
    for (const each of imports(path, source)) follow(each, path, source, found);
  }
  const facts: FileFacts = {
    mtimeMs: stat.mtimeMs,
    size: stat.size,
    sha256: hash("sha256", bytes),
    files: [...found.files],
    packages: [...found.packages],
    computed: found.computed,
  };
  factsByFile.set(path, facts);
  return facts;
}

function imports(path: string, source: string): readonly Import[] {
  try {
    return parse(source, path)[0];
  } catch (cause) {
    throw pipelineErrors.PIPELINE_MODULE_MISSING(`${path} is not a module that can be read`, { cause });
  }
}

interface Found {
  readonly files: Set<string>;
  readonly packages: Set<string>;
  readonly computed: string[];
}

function follow(each: Import, path: string, source: string, found: Found): void {
  if (each.type === "import-meta") {
    const file = fileBeside(path, source.slice(0, each.importStart));
    if (file !== null) found.files.add(file);
    return;
  }
  if (each.type === "dynamic" ? each.probablyTypeOnly : each.typeOnly) return;
  const { specifier } = each;
  if (specifier === undefined) {
    found.computed.push(source.slice(each.importStart, each.importEnd));
    return;
  }
  if (isBuiltin(specifier)) return;
  if (/^\.{0,2}\//.test(specifier) || specifier.startsWith("file:")) {
    if (each.type === "dynamic" && each.glob) {
      for (const match of globSync(specifier, { cwd: dirname(path) })) found.files.add(resolve(dirname(path), match));
    } else {
      found.files.add(fileURLToPath(new URL(specifier, pathToFileURL(path))));
    }
    return;
  }
  followPackage(specifier, path, found);
}

/** An installed package counts by its version; the project itself and linked workspaces count by their files. */
function followPackage(specifier: string, path: string, found: Found): void {
  try {
    const manifest = specifier.startsWith("#") ? undefined : findPackageJSON(specifier, pathToFileURL(path));
    const real = manifest === undefined ? null : realpathSync(manifest);
    if (real?.includes(`${sep}node_modules${sep}`)) {
      found.packages.add(real);
      return;
    }
    found.files.add(createRequire(path).resolve(specifier));
  } catch (cause) {
    throw pipelineErrors.PIPELINE_MODULE_MISSING(`${path} imports ${specifier}, which cannot be found`, { cause });
  }
}

/** The file named by `new URL("./x", import.meta.url)`, given the text before `import.meta`; null when there is none. */
function fileBeside(path: string, before: string): string | null {
  const relativePath = /new URL\(\s*(['"`])(\.[^'"`$]+)\1\s*,\s*$/.exec(before.slice(-300))?.[2];
  if (relativePath === undefined) return null;
  const file = join(dirname(path), relativePath);
  return statSync(file, { throwIfNoEntry: false })?.isFile() ? file : null;
}
