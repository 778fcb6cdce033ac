import { createHash } from "node:crypto";
import { lookup } from "node:dns";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { OrreryError } from "../../core/errors.ts";
import type { Copied, CopyOptions, RemoteFile, RemoteFiles } from "../../core/ports/index.ts";
import { copyStream, withRetries } from "./copy-stream.ts";
import { sourceErrors } from "./errors.ts";
import { isPrivateAddress } from "./private-address.ts";

const MOST_REDIRECTS = 5;
const SILENCE_MS = 60_000;
/** A file that changes twice within a second has one Last-Modified: only an older one tells versions apart. */
const SETTLED_MS = 2_000;

/**
 * Files by http:// and https://. Any address that the project's own file names is asked, private ones too. Redirects are followed, at
 * most 5, but not from https to http, and from a public address to none that is private; the source's headers go to its own origin only.
 */
export class HttpFiles implements RemoteFiles {
  readonly #waits: readonly number[] | undefined;

  /** `waits` are the pauses between tries, in milliseconds. */
  constructor({ waits }: { waits?: readonly number[] } = {}) {
    this.#waits = waits;
  }

  /** One file, which is not asked for yet. @throws SOURCE_ADDRESS_INVALID */
  async list(address: string): Promise<RemoteFile[]> {
    const url = urlOf(address);
    const path = url.pathname.split("/").filter((name) => name !== "");
    // Parameters may be what lets one in: what is kept tells them apart without saying them.
    const parameters = url.search === "" ? "" : `?${createHash("sha256").update(url.search).digest("hex").slice(0, 16)}`;
    return [{ address: `${url.origin}${url.pathname}${parameters}`, path: path.length === 0 ? [url.host] : path, version: null }];
  }

  /**
   * @throws SOURCE_FILE_MISSING, SOURCE_DENIED, SOURCE_TOO_LARGE, SOURCE_REDIRECT_REFUSED, SOURCE_ANSWER_UNEXPECTED, and
   *   SOURCE_UNREACHABLE after four tries
   */
  async copy(address: string, { address: shown }: RemoteFile, options: CopyOptions): Promise<Copied | null> {
    return await withRetries(async () => {
      try {
        return await copyOnce(urlOf(address), shown, options);
      } catch (error) {
        if (error instanceof OrreryError) throw error;
        const why = error instanceof Error ? error.message : String(error);
        throw sourceErrors.SOURCE_UNREACHABLE(`${shown} cannot be read: ${why}`, { cause: error });
      }
    }, this.#waits);
  }
}

function urlOf(address: string): URL {
  const refuse = (why: string) => sourceErrors.SOURCE_ADDRESS_INVALID(`The address of a file cannot be used: ${why}`);
  if (!URL.canParse(address)) throw refuse("it is no URL");
  const url = new URL(address);
  if (url.protocol !== "https:" && url.protocol !== "http:") throw refuse(`it begins with ${url.protocol}`);
  if (url.username !== "" || url.password !== "")
    throw refuse("credentials do not belong in it; give them as a header from a secret");
  return url;
}

async function copyOnce(first: URL, shown: string, { to, known, headers, maxBytes }: CopyOptions): Promise<Copied | null> {
  const walk = { isPublic: false };
  let url = first;
  for (let redirects = 0; ; redirects++) {
    const own = url.origin === first.origin ? { ...headers, ...conditions(known) } : {};
    const answer = await ask(url, own, {
      shown,
      mayBePrivate: redirects === 0 || !walk.isPublic,
      walk: redirects === 0 ? walk : null,
    });
    const status = answer.statusCode ?? 0;
    const { location } = answer.headers;
    if (status === 200) {
      const length = answer.headers["content-length"];
      await copyStream(answer, { shown, to, maxBytes, length: length === undefined ? null : Number(length) });
      return { version: versionOf(answer), packed: /^(x-)?gzip$/.test(answer.headers["content-encoding"] ?? "") ? "gz" : null };
    }
    answer.destroy();
    if (status === 304 && known !== null) return null;
    if (![301, 302, 303, 307, 308].includes(status) || location === undefined) throw unexpected(answer, shown);
    if (redirects === MOST_REDIRECTS)
      throw sourceErrors.SOURCE_REDIRECT_REFUSED(`${shown} redirects more than ${MOST_REDIRECTS} times`);
    url = redirectTarget(url, location, shown);
  }
}

/** Where a redirect leads. @throws SOURCE_REDIRECT_REFUSED from https to anything else, and to what is no web address */
export function redirectTarget(from: URL, location: string, shown: string): URL {
  const target = URL.canParse(location, from.href) ? new URL(location, from) : null;
  const isWeb = target?.protocol === "https:" || (target?.protocol === "http:" && from.protocol === "http:");
  if (target === null || !isWeb)
    throw sourceErrors.SOURCE_REDIRECT_REFUSED(
      `${shown} redirects to what is not followed (${target?.protocol ?? "no address"})`,
    );
  return target;
}

const ETAG = "etag:";
const MODIFIED = "modified:";

function conditions(known: string | null): Record<string, string> {
  if (known?.startsWith(ETAG) === true) return { "if-none-match": known.slice(ETAG.length) };
  if (known?.startsWith(MODIFIED) === true) return { "if-modified-since": known.slice(MODIFIED.length) };
  return {};
}

function versionOf({ headers }: IncomingMessage): string | null {
  const { etag, date } = headers;
  const modified = headers["last-modified"];
  if (etag !== undefined) return `${ETAG}${etag}`;
  const age = Date.parse(date ?? "") - Date.parse(modified ?? "");
  return age >= SETTLED_MS ? `${MODIFIED}${modified}` : null;
}

function unexpected(answer: IncomingMessage, shown: string): OrreryError {
  const status = answer.statusCode ?? 0;
  const seconds = Number(answer.headers["retry-after"]);
  if (status === 404 || status === 410) return sourceErrors.SOURCE_FILE_MISSING(`${shown} is not there (${status})`);
  if (status === 401 || status === 403 || status === 407) return sourceErrors.SOURCE_DENIED(`${shown} is refused (${status})`);
  if (status === 408 || status === 425 || status === 429 || status >= 500)
    return sourceErrors.SOURCE_UNREACHABLE(`${shown} answers ${status}`, {
      details: { status, ...(seconds >= 0 ? { retryAfter: seconds * 1000 } : {}) },
    });
  return sourceErrors.SOURCE_ANSWER_UNEXPECTED(`${shown} answers ${status}`);
}

interface Asked {
  readonly shown: string;
  readonly mayBePrivate: boolean;
  /** Where to note whether the address was public. */
  readonly walk: { isPublic: boolean } | null;
}

function ask(
  url: URL,
  headers: Readonly<Record<string, string>>,
  { shown, mayBePrivate, walk }: Asked,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const judge = (address: string): Error | null => {
    const isPrivate = isPrivateAddress(address);
    if (walk !== null) walk.isPublic = !isPrivate;
    return isPrivate && !mayBePrivate
      ? sourceErrors.SOURCE_REDIRECT_REFUSED(`${shown} redirects from a public to a private address`)
      : null;
  };
  const host = url.hostname.replace(/^\[|\]$/g, "");
  // Names are judged by what the connection will use: asked twice, a name may answer otherwise.
  const judged: LookupFunction = (name, options, done) =>
    lookup(name, { ...options, all: true }, (error, addresses) => {
      const refused = error ?? addresses.map(({ address }) => judge(address)).find((each) => each !== null) ?? null;
      const [first] = addresses ?? [];
      if (refused !== null || first === undefined) done(refused ?? new Error(`${name} has no address`), []);
      else if (options.all === true) done(null, addresses);
      else done(null, first.address, first.family);
    });
  const refused = isIP(host) === 0 ? null : judge(host);
  if (refused !== null) return Promise.reject(refused);
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  const sent = send(url, {
    headers: { "user-agent": "orrery", accept: "*/*", ...headers, "accept-encoding": "identity" },
    timeout: SILENCE_MS,
    lookup: judged,
  });
  sent.on("response", resolve);
  sent.on("error", reject);
  sent.on("timeout", () => sent.destroy(new Error(`nothing came for ${SILENCE_MS / 1000} seconds`)));
  sent.end();
  return promise;
}
