import type { Kysely } from "kysely";
import type { ArtifactStore, Clock, Database, MetadataStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { artifactFileErrors, artifactFilePath, artifactFolderPath } from "./artifact-path.ts";
import { artifactUploads } from "./artifact-uploads.ts";
import { trackingErrors } from "./errors.ts";
import type { ArtifactEntry, ArtifactFiles, RunArtifact } from "./interfaces.ts";
import { mediaTypeOf } from "./media-type.ts";

/** Rows of one question: enough for most folders, few where a whole folder below is passed over. */
const PAGE = 500;

type Own = { readonly workspace: string; readonly project: string };
type Named = { readonly path: string; readonly sha256: string; readonly bytes: number; readonly media_type: string };

/** The tree is one table with the whole path as key: a folder is there as long as a file lies below it. */
export function artifactFiles(
  store: MetadataStore,
  artifacts: ArtifactStore,
  clock: Clock,
  { workspace, project }: Scope,
): ArtifactFiles {
  const own: Own = { workspace, project };
  const fileOf = ({ path, sha256, bytes, media_type }: Named): RunArtifact => ({ path, sha256, bytes, mediaType: media_type });

  async function stat(path: string): Promise<RunArtifact> {
    const row = await store.db
      .selectFrom("artifact_files")
      .select(["path", "sha256", "bytes", "media_type"])
      .where((each) => each.and({ ...own, path: artifactFilePath(path) }))
      .executeTakeFirst();
    if (row === undefined) throw trackingErrors.TRACKING_ARTIFACT_UNKNOWN(`There is no artifact ${path.slice(0, 200)}`);
    return fileOf(row);
  }

  const place: ArtifactFiles["place"] = async (path, ref) => {
    const name = artifactFilePath(path);
    await store.transaction(async (db) => {
      await checkFree(db, own, name);
      const row = {
        ...own,
        path: name,
        sha256: ref.sha256,
        bytes: ref.bytes,
        media_type: ref.mediaType,
        written_at: clock.now(),
      };
      await store.insertMany(db, "artifact_files", [row], {
        key: ["workspace", "project", "path"],
        update: ["sha256", "bytes", "media_type", "written_at"],
      });
    });
    return { ...ref, path: name };
  };

  const write: ArtifactFiles["write"] = async (path, source, mediaType) => {
    const name = artifactFilePath(path);
    // Before the bytes come, too: nobody shall wait for a large upload that cannot be named.
    await checkFree(store.db, own, name);
    return place(name, await artifacts.putStream(source, mediaType ?? mediaTypeOf(name)));
  };

  /** Rows in the order of their paths, beginning behind `after`. */
  const rowsFrom = (folder: string, after: { readonly path: string; readonly included: boolean }) => {
    const [from, to] = below(folder);
    let query = store.db
      .selectFrom("artifact_files")
      .select(["path", "sha256", "bytes", "media_type"])
      .where((each) => each.and(own))
      .where("path", after.included ? ">=" : ">", after.path < from ? from : after.path)
      .orderBy("path")
      .limit(PAGE);
    if (to !== null) query = query.where("path", "<", to);
    return query.execute();
  };

  return {
    write,
    place,
    stat,
    uploads: artifactUploads(artifacts.parts, { workspace, project }, write),

    async read(path, range) {
      const file = await stat(path);
      return { file, stream: await artifacts.readStream(file.sha256, range) };
    },

    async list(folder) {
      const name = artifactFolderPath(folder);
      const skip = name === "" ? 0 : name.length + 1;
      const found: ArtifactEntry[] = [];
      let next = { path: below(name)[0], included: true };
      for (;;) {
        const rows = await rowsFrom(name, next);
        let within: string | null = null;
        for (const { path, bytes } of rows) {
          if (within !== null && path.startsWith(`${within}/`)) continue;
          const rest = path.slice(skip);
          const slash = rest.indexOf("/");
          within = slash < 0 ? null : path.slice(0, skip + slash);
          if (slash < 0) found.push({ path: rest, isFolder: false, bytes });
          else found.push({ path: rest.slice(0, slash), isFolder: true, bytes: null });
        }
        const last = rows.at(-1);
        if (last === undefined || rows.length < PAGE) break;
        // The rest of a folder that goes on beyond this page is passed over without being read.
        next = within === null ? { path: last.path, included: false } : { path: `${within}${AFTER_SLASH}`, included: true };
      }
      // "a.txt" comes before "a/…" among paths, but after "a" among names.
      return found.sort((a, b) => byCodePoint(a.path, b.path));
    },

    async *walk(folder) {
      const name = artifactFolderPath(folder);
      if (name !== "") {
        const file = await stat(name).catch(unlessUnknown);
        if (file !== null) yield file;
      }
      let after = { path: below(name)[0], included: true };
      for (;;) {
        const rows = await rowsFrom(name, after);
        for (const row of rows) yield fileOf(row);
        const last = rows.at(-1);
        if (last === undefined || rows.length < PAGE) return;
        after = { path: last.path, included: false };
      }
    },

    async delete(path) {
      const name = artifactFolderPath(path);
      if (name === "") throw trackingErrors.TRACKING_PATH_INVALID("The whole tree of a project cannot be deleted at once");
      const [from, to] = below(name);
      await store.transaction(async (db) => {
        await db
          .deleteFrom("artifact_files")
          .where((each) => each.and(own))
          .where((each) =>
            each.or([each("path", "=", name), each.and([each("path", ">=", from), each("path", "<", to ?? from)])]),
          )
          .execute();
      });
    },
  };
}

/** The character that follows the slash: "a0" is the first text behind everything that begins with "a/". */
const AFTER_SLASH = "0";

/** First path that can lie below a folder, and the first that no longer does; null where all lie below. */
const below = (folder: string): [from: string, to: string | null] =>
  folder === "" ? ["", null] : [`${folder}/`, `${folder}${AFTER_SLASH}`];

/** @throws TRACKING_PATH_TAKEN where a file would lie below a file, or take the place of a folder */
export async function checkFree(db: Kysely<Database>, own: Own, path: string): Promise<void> {
  const parts = path.split("/");
  const above = parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
  const [from, to] = below(path);
  const taken = await db
    .selectFrom("artifact_files")
    .select("path")
    .where((each) => each.and(own))
    .where((each) => {
      const inside = each.and([each("path", ">=", from), each("path", "<", to ?? from)]);
      return above.length === 0 ? inside : each.or([inside, each("path", "in", above)]);
    })
    .limit(1)
    .executeTakeFirst();
  if (taken === undefined) return;
  throw artifactFileErrors.TRACKING_PATH_TAKEN(
    taken.path.startsWith(from) ? `${path} is a folder with files in it` : `${taken.path} is a file, nothing can lie below it`,
  );
}

/** As both databases order text. JavaScript's own order differs beyond the basic plane. */
function byCodePoint(a: string, b: string): number {
  if (a === b) return 0;
  return SURROGATE.test(a) || SURROGATE.test(b) ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : a < b ? -1 : 1;
}

const SURROGATE = /[\ud800-\udfff]/;

function unlessUnknown(error: unknown): null {
  if (error instanceof Error && "code" in error && error.code === "TRACKING_ARTIFACT_UNKNOWN") return null;
  throw error;
}
