import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, open, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { FastifyPluginAsync, FastifyRequest } from "fastify";
import type { z } from "zod";
import { API_PREFIX, TABLE_TYPES, trainingSetQuery } from "../../contract/index.ts";
import type { Scope } from "../../core/scope.ts";
import { parseTimestamp } from "../../core/time.ts";
import type { Platform } from "../../platform/platform.ts";
import { serverErrors } from "../errors.ts";
import { bytesOfBody, takeBodiesAsStreams } from "../receive-artifact.ts";

type Format = keyof typeof TABLE_TYPES;

const MOST_BYTES = 4 * 1024 ** 3;

/** pyarrow's own names beside the registered ones. */
const ALIASES: Readonly<Record<string, Format>> = {
  ...Object.fromEntries(Object.entries(TABLE_TYPES).map(([format, type]) => [type, format as Format])),
  "application/x-parquet": "parquet",
  "application/vnd.apache.arrow.file": "arrow",
  "application/x-ndjson": "json",
};

/** @throws SERVER_MEDIA_TYPE_UNKNOWN */
function sentFormat({ headers }: FastifyRequest): Format {
  const type = (headers["content-type"] ?? "").split(";", 1)[0].trim().toLowerCase();
  const found = ALIASES[type];
  if (found !== undefined) return found;
  throw serverErrors.SERVER_MEDIA_TYPE_UNKNOWN(`Entity rows do not come as "${type}"`, {
    hint: `Send ${Object.values(TABLE_TYPES).join(", ")}.`,
  });
}

/** Arrow where the caller asks for it, else Parquet. */
function wantedFormat({ headers }: FastifyRequest): "parquet" | "arrow" {
  const accepted = (headers.accept ?? "").split(",").map((type) => ALIASES[type.split(";", 1)[0].trim().toLowerCase()]);
  return accepted.find((format) => format === "parquet" || format === "arrow") ?? "parquet";
}

/** A chunk is gone when the next one is asked for: each is written before. */
async function writeBody(request: FastifyRequest, path: string): Promise<void> {
  const file = await open(path, "wx");
  try {
    for await (const chunk of bytesOfBody(request, MOST_BYTES)) await file.appendFile(chunk);
  } finally {
    await file.close();
  }
}

/**
 * POST /training-sets: entity rows in, the same rows with features as of their times out. Both lie on disk in between and features are
 * joined in a worker, so that neither memory nor other requests notice how many there are.
 */
export const trainingSetRoutes =
  (platform: Platform): FastifyPluginAsync =>
  async (app) => {
    takeBodiesAsStreams(app);
    app.post<{ Params: Scope; Querystring: z.infer<typeof trainingSetQuery> }>(
      `${API_PREFIX}/:workspace/:project/training-sets`,
      {
        config: { permission: "run", audited: false },
        bodyLimit: MOST_BYTES,
        schema: {
          operationId: "trainingSets.create",
          summary:
            "Historical features of the entity rows in the body (JSON, Parquet or an Arrow stream), as Parquet or an Arrow stream",
          querystring: trainingSetQuery,
        },
        handler: async (request, reply) => {
          const { workspace, project } = request.params;
          const { scope, paths, clock } = platform;
          if (workspace !== scope.workspace || project !== scope.project)
            throw serverErrors.SERVER_SCOPE_UNKNOWN(`This server does not hold ${workspace}/${project}`);
          const { features, service = "", at, asOf } = request.query;
          const [format, answer] = [sentFormat(request), wantedFormat(request)];
          await mkdir(paths.tmp, { recursive: true });
          const directory = await mkdtemp(join(paths.tmp, "training-set-"));
          const remove = () => rm(directory, { recursive: true, force: true });
          try {
            const path = join(directory, "given");
            await writeBody(request, path);
            const { path: made, rows } = await platform.trainingRows({
              ask: features === undefined ? { service } : { ids: features.split(",").map((id) => id.trim()) },
              path,
              format,
              at,
              asOf: asOf === undefined ? clock.now() : parseTimestamp(asOf),
              directory,
              answer,
            });
            const { size } = await stat(made);
            const bytes = createReadStream(made);
            bytes.once("close", () => void remove());
            return await reply
              .header("content-length", size)
              .header("x-orrery-rows", rows)
              .header("x-content-type-options", "nosniff")
              .type(TABLE_TYPES[answer])
              .send(bytes);
          } catch (error) {
            await remove();
            throw error;
          }
        },
      },
    );
  };
