import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import type { ArtifactFiles } from "../../../core/tracking/index.ts";
import { serverErrors } from "../../errors.ts";
import { bytesOfBody, takeBodiesAsStreams } from "../../receive-artifact.ts";

interface MultipartOptions {
  filesFor(request: FastifyRequest): ArtifactFiles;
  readonly maxUploadBytes: number;
  readonly publicUrl?: string | undefined;
}

const MPU = "/api/2.0/mlflow-artifacts/mpu";

/** Clients send integers as numbers or as text. */
const integer = z.coerce.number().int();
const Create = z.object({ path: z.string().min(1), num_parts: integer.min(1).max(10_000).default(1) });
const Complete = z.object({
  path: z.string().min(1),
  upload_id: z.string(),
  parts: z.array(z.object({ part_number: integer, etag: z.string().nullish() })).max(10_000),
});
const Abort = z.object({ path: z.string().min(1), upload_id: z.string() });
const Part = z.object({ upload_id: z.string(), part_number: integer });

type AnyPath = { Params: { "*": string } };

/**
 * Uploads in parts. A client asks for as many addresses as it has parts, puts each part to its own, and has them joined. It sends the
 * parts with the headers that it is told to and no others: so it is told the credentials that it came with.
 */
export async function multipartRoutes(app: FastifyInstance, options: MultipartOptions): Promise<void> {
  const { filesFor, maxUploadBytes } = options;
  const config = { permission: "track" } as const;

  app.post<AnyPath>(`${MPU}/create/*`, { config }, async (request, reply) => {
    const { path, num_parts } = parsed(Create, request.body);
    const target = targetOf(request.params["*"], path);
    const upload_id = await filesFor(request).uploads.begin(target);
    const base = addressOf(request, options.publicUrl);
    const headers = request.headers.authorization === undefined ? {} : { Authorization: request.headers.authorization };
    const encoded = target.split("/").map(encodeURIComponent).join("/");
    const credentials = Array.from({ length: num_parts }, (_, index) => ({
      url: `${base}${MPU}/part/${encoded}?upload_id=${upload_id}&part_number=${index + 1}`,
      part_number: index + 1,
      headers,
    }));
    reply.header("cache-control", "no-store");
    return { upload_id, credentials };
  });

  app.post<AnyPath>(`${MPU}/complete/*`, { config }, async (request) => {
    const { path, upload_id, parts } = parsed(Complete, request.body);
    const named = parts.map(({ part_number, etag }) => ({
      number: part_number,
      sha256: (etag ?? "").replace(/^(?:W\/)?"(.*)"$/, "$1"),
    }));
    await filesFor(request).uploads.complete(targetOf(request.params["*"], path), upload_id, named);
    return {};
  });

  app.post<AnyPath>(`${MPU}/abort/*`, { config }, async (request) => {
    const { path, upload_id } = parsed(Abort, request.body);
    await filesFor(request).uploads.abort(targetOf(request.params["*"], path), upload_id);
    return {};
  });

  await app.register(async (scope) => {
    takeBodiesAsStreams(scope);
    scope.put<AnyPath>(`${MPU}/part/*`, { config, bodyLimit: Number.MAX_SAFE_INTEGER }, async (request, reply) => {
      const { upload_id, part_number } = parsed(Part, request.query);
      const body = bytesOfBody(request, maxUploadBytes);
      const { sha256 } = await filesFor(request).uploads.writePart(request.params["*"], upload_id, part_number, body);
      reply.header("etag", `"${sha256}"`);
      return {};
    });
  });
}

/** The file's place: a folder of the tree, and the name at the end of the path that the file has at the client. */
function targetOf(folder: string, localPath: string): string {
  const name = localPath.split(/[/\\]/).at(-1) ?? "";
  const trimmed = folder.replace(/\/$/, "");
  return trimmed === "" ? name : `${trimmed}/${name}`;
}

/** Scheme, authority and path before the protocol's own, as the caller sees them. */
function addressOf(request: FastifyRequest, publicUrl: string | undefined): string {
  const prefix = request.url.slice(0, request.url.indexOf(MPU));
  return `${publicUrl?.replace(/\/+$/, "") ?? `${request.protocol}://${request.host}`}${prefix}`;
}

function parsed<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input ?? {});
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw serverErrors.SERVER_REQUEST_INVALID(`${issue?.path.join(".") || "body"}: ${issue?.message ?? "is not valid"}`);
}
