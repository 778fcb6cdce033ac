import type { ArtifactFile } from "../../../../src/contract/index.ts";

export interface FolderEntry {
  readonly name: string;
  /** Within the run. */
  readonly path: string;
  readonly files: number;
  readonly bytes: number;
}

export interface FileEntry extends ArtifactFile {
  readonly name: string;
}

export interface Opened {
  /** The folders on the way, the run's own first with the path "". */
  readonly trail: readonly { readonly name: string; readonly path: string }[];
  readonly folders: readonly FolderEntry[];
  readonly files: readonly FileEntry[];
  /** The file that is open; null where a folder is. */
  readonly file: FileEntry | null;
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")));

/** What lies at a path: of a file, itself and the folder around it. A path that leads nowhere is the run's own folder. */
export function openPath(artifacts: readonly ArtifactFile[], path: string): Opened {
  const found = artifacts.find((each) => each.path === path);
  const asked = found === undefined ? path : parentOf(path);
  const folder = artifacts.some((each) => each.path.startsWith(`${asked}/`)) ? asked : "";
  const prefix = folder === "" ? "" : `${folder}/`;
  const files: FileEntry[] = [];
  const folders = new Map<string, FolderEntry>();
  for (const each of artifacts) {
    if (!each.path.startsWith(prefix)) continue;
    const rest = each.path.slice(prefix.length);
    const slash = rest.indexOf("/");
    if (slash < 0) files.push({ ...each, name: rest });
    else {
      const name = rest.slice(0, slash);
      const known = folders.get(name);
      folders.set(name, {
        name,
        path: `${prefix}${name}`,
        files: (known?.files ?? 0) + 1,
        bytes: (known?.bytes ?? 0) + each.bytes,
      });
    }
  }
  const steps = folder === "" ? [] : folder.split("/");
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  return {
    trail: [
      { name: "artifacts", path: "" },
      ...steps.map((name, index) => ({ name, path: steps.slice(0, index + 1).join("/") })),
    ],
    folders: [...folders.values()].sort(byName),
    files: files.sort(byName),
    file: found === undefined ? null : { ...found, name: nameOf(found.path) },
  };
}

/** How a file is shown: by what its name says it is, never by what was claimed when it was uploaded. */
export type Preview =
  | { readonly kind: "text" | "json" | "html"; readonly most: number }
  | { readonly kind: "image"; readonly mediaType: string }
  | { readonly kind: "none"; readonly why: string };

const IMAGES: Record<string, string> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  avif: "image/avif",
  bmp: "image/bmp",
  // As a picture an SVG neither runs nor loads anything.
  svg: "image/svg+xml",
};
const JSONS = new Set(["json", "geojson", "ipynb"]);
const TEXTS = new Set(
  "txt md log csv tsv yaml yml toml ini cfg conf py ts js mjs tsx jsx r sql sh xml jsonl ndjson diff patch mlmodel properties lock rst tex css".split(
    " ",
  ),
);
/** Files without an ending that are texts by custom. */
const NAMES = new Set(["mlmodel", "dockerfile", "makefile", "readme", "license", "mlproject", "requirements"]);

export const MOST_TEXT = 500_000;
const MOST_JSON = 1_000_000;
const MOST_IMAGE = 20_000_000;
const MOST_HTML = 10_000_000;

export function previewOf({ path, bytes, mediaType }: ArtifactFile): Preview {
  const name = nameOf(path).toLowerCase();
  const ending = name.includes(".") ? name.slice(name.lastIndexOf(".") + 1) : "";
  const image = IMAGES[ending];
  const tooLarge: Preview = { kind: "none", why: "It is too large to be shown here." };
  if (image !== undefined) return bytes > MOST_IMAGE ? tooLarge : { kind: "image", mediaType: image };
  if (ending === "html" || ending === "htm") return bytes > MOST_HTML ? tooLarge : { kind: "html", most: MOST_HTML };
  // Half of a JSON document is none: a large one is shown as the text it is.
  if (JSONS.has(ending)) return bytes > MOST_JSON ? { kind: "text", most: MOST_TEXT } : { kind: "json", most: MOST_JSON };
  if (TEXTS.has(ending) || NAMES.has(name) || mediaType.startsWith("text/")) return { kind: "text", most: MOST_TEXT };
  return { kind: "none", why: "Files of this kind are not shown here." };
}

/** Indented; what is no JSON in spite of its name stays as it is. */
export function prettyJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/**
 * A document that loads nothing: its frame is sandboxed too, so that it runs nothing and is of no origin. The policy comes before anything of
 * the file's own, which could only make it stricter.
 */
export const framedDocument = (html: string): string =>
  `<!doctype html><meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:">${html}`;
