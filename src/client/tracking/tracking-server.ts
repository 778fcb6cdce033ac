import { openAsBlob } from "node:fs";
import { Readable } from "node:stream";
import { API_PREFIX, type ArtifactFile, type Context } from "../../contract/index.ts";
import { OrreryError } from "../../core/errors.ts";
import { ApiError, type Client, createClient, fetchContext } from "../index.ts";
import { trackerErrors } from "./errors.ts";

export interface ServerAddress {
  /** "http://127.0.0.1:4100" */
  readonly url: string;
  /** The server's own project when absent. */
  readonly project?: string;
  readonly token?: string;
}

/** What a file is uploaded from. */
export type ArtifactSource =
  | { readonly from: "file"; readonly path: string }
  | { readonly from: "bytes"; readonly bytes: Uint8Array }
  /** Can be read once only, so that its upload is not tried again. */
  | { readonly from: "stream"; readonly stream: Readable };

/** `refused`: never again; `denied`: not with this token; `unreachable`: later. */
export type FailureKind = "refused" | "denied" | "unreachable";

const REQUEST_MS = 30_000;
const LATER = new Set([408, 425, 429, 500, 502, 503, 504]);

export function failureKind(error: unknown): FailureKind {
  // What is no answer is a connection that was refused, was cut off, or took too long.
  if (!(error instanceof ApiError)) return error instanceof OrreryError ? "refused" : "unreachable";
  if (error.status === 401 || error.status === 403) return "denied";
  return LATER.has(error.status) ? "unreachable" : "refused";
}

/** A first wait of a tenth of a second, doubled up to two seconds, and half of it by chance, so that not all come back at once. */
export const backoffMs = (failures: number): number => Math.min(2_000, 100 * 2 ** (failures - 1)) * (0.5 + 0.5 * Math.random());

/** The calls that a tracker makes. */
export class TrackingServer {
  readonly address: ServerAddress;
  #context: Promise<Context> | null = null;

  constructor({ url, ...rest }: ServerAddress) {
    this.address = { url: url.replace(/\/+$/, ""), ...rest };
  }

  /** Bound to what the server said it holds; asked again after a failure. */
  async client(): Promise<Client> {
    const { token } = this.address;
    return createClient({
      ...(await this.#scope()),
      baseUrl: this.address.url,
      ...(token !== undefined && { token }),
      fetch: (url, init) => fetch(url, { ...init, signal: AbortSignal.timeout(REQUEST_MS) }),
    });
  }

  async upload(run: string, path: string, source: ArtifactSource, mediaType: string): Promise<ArtifactFile> {
    const { workspace, project } = await this.#scope();
    const { url, token } = this.address;
    const name = path.split("/").map(encodeURIComponent).join("/");
    const [body, more] = await bodyOf(source, mediaType);
    const response = await fetch(
      `${url}${API_PREFIX}/${workspace}/${project}/runs/${encodeURIComponent(run)}/artifacts/${name}`,
      {
        method: "PUT",
        headers: { "content-type": mediaType, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
        body,
        ...more,
      },
    );
    const answer: unknown = await response.json();
    if (!response.ok) throw new ApiError(response.status, answer as ApiError["body"]);
    return answer as ArtifactFile;
  }

  async #scope(): Promise<{ workspace: string; project: string }> {
    const { url, project, token } = this.address;
    this.#context ??= fetchContext({
      baseUrl: url,
      ...(token !== undefined && { token }),
      fetch: (address, init) => fetch(address, { ...init, signal: AbortSignal.timeout(REQUEST_MS) }),
    });
    try {
      const context = await this.#context;
      return { workspace: context.workspace, project: project ?? context.project };
    } catch (error) {
      this.#context = null;
      throw error;
    }
  }
}

type Body = NonNullable<RequestInit["body"]>;

async function bodyOf(source: ArtifactSource, type: string): Promise<[Body, { duplex?: "half" }]> {
  if (source.from === "bytes") return [Buffer.from(source.bytes), {}];
  if (source.from === "stream") {
    // Node's and the platform's streams are typed apart.
    return [Readable.toWeb(source.stream) as unknown as Body, { duplex: "half" }];
  }
  try {
    return [await openAsBlob(source.path, { type }), {}];
  } catch (cause) {
    throw trackerErrors.TRACKER_FILE_MISSING(`There is no file ${source.path}`, { cause });
  }
}
