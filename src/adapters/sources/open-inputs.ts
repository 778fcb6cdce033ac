import type { SourceInputs } from "../../core/ports/index.ts";
import { HttpFiles } from "./http.ts";
import { PostgresQueryReader } from "./postgres.ts";
import { S3Files } from "./s3.ts";

/** Readers of what is not on this machine; each loads its client when it is first asked. */
export function openSourceInputs(): SourceInputs {
  const http = new HttpFiles();
  return { postgres: new PostgresQueryReader(), files: { s3: new S3Files(), http, https: http } };
}
