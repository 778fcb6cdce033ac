import type { Registry } from "../../../core/registry/index.ts";
import { type ArtifactEntry, mediaTypeOf, type Tracking } from "../../../core/tracking/index.ts";
import { serverErrors } from "../../errors.ts";

/** What the artifact routes need of a project. */
export interface ArtifactRooms {
  readonly tracking: Pick<Tracking, "runs" | "loggedModels" | "files">;
  readonly registry: Pick<Registry, "version">;
}

/** A file or folder as MLflow's clients read it. */
export const fileInfo = (path: string, { isFolder, bytes }: ArtifactEntry) =>
  bytes === null ? { path, is_dir: isFolder } : { path, is_dir: isFolder, file_size: bytes };

/** Absent where it would be empty, as everywhere in the protocol. */
export const filesField = (files: readonly ReturnType<typeof fileInfo>[]) => (files.length === 0 ? {} : { files });

/** The protocol's servers go by the name, whatever the uploader called it. */
export const mediaTypeByName = ({ path }: { readonly path: string }) => mediaTypeOf(path);

/** "" where the query does not have it. @throws SERVER_REQUEST_INVALID where it comes twice */
export function optional(name: string, value: string | undefined): string {
  if (value === undefined || typeof value === "string") return value ?? "";
  throw serverErrors.SERVER_REQUEST_INVALID(`Parameter '${name}' came more than once`);
}

/** @throws SERVER_REQUEST_INVALID */
export function required(name: string, value: string | undefined): string {
  const given = optional(name, value);
  if (given !== "") return given;
  throw serverErrors.SERVER_REQUEST_INVALID(`Missing value for required parameter '${name}'.`);
}
