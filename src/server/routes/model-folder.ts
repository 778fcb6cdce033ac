import { buffer } from "node:stream/consumers";
import type { Tracking } from "../../core/tracking/index.ts";
import { platformErrors } from "../../platform/errors.ts";

/** The answer has the files in memory, as text within JSON. */
const MOST_BYTES = 128 * 1024 * 1024;
const MOST_FILES = 1_000;
const SCHEME = "mlflow-artifacts:/";

export interface FolderFile {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly content: string;
}

/**
 * Every file of the folder that a version's location names.
 * @param whose for messages
 * @throws PROJECT_FOLDER_MISSING where it lies elsewhere, is empty, or is too large; TRACKING_RUN_UNKNOWN
 */
export async function modelFolder(tracking: Tracking, whose: string, location: string): Promise<FolderFile[]> {
  const folder = await folderOf(tracking, location);
  if (folder === null)
    throw platformErrors.PROJECT_FOLDER_MISSING(`${whose} does not lie among this server's files, but at ${location}`);
  const files: FolderFile[] = [];
  let bytes = 0;
  for await (const found of tracking.files.walk(folder)) {
    bytes += found.bytes;
    if (bytes > MOST_BYTES || files.length === MOST_FILES)
      throw platformErrors.PROJECT_FOLDER_MISSING(`The folder of ${whose} is too large for this answer`, {
        hint: "Download it with MLflow's client: mlflow.artifacts.download_artifacts.",
      });
    const { stream } = await tracking.files.read(found.path);
    const content = (await buffer(stream)).toString("base64");
    files.push({ path: found.path.slice(folder.length + 1), sha256: found.sha256, bytes: found.bytes, content });
  }
  if (files.length === 0) throw platformErrors.PROJECT_FOLDER_MISSING(`${whose} has no folder at ${location}`);
  return files;
}

/** Path in the project's tree of artifacts; null for what lies elsewhere. */
async function folderOf({ runs }: Tracking, location: string): Promise<string | null> {
  const [, runId, below] = /^runs:\/+([^/]+)\/(.+)$/.exec(location) ?? [];
  const place = runId === undefined ? location : `${(await runs.record(runId)).artifactUri}/${below}`;
  return place.startsWith(SCHEME) ? place.slice(SCHEME.length).replace(/^\/+|\/+$/g, "") : null;
}
