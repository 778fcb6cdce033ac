import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { servingErrors } from "./errors.ts";

export interface Route {
  readonly alias: string;
  readonly version: number;
  /** sha256 of the model package. */
  readonly artifact: string;
  /** Share of requests, 0…1; a deployment's shares add up to 1. */
  readonly share: number;
}

/** What an endpoint serves from a moment on. Revisions are added, never changed. */
export interface DeploymentSpec {
  readonly formatVersion: 1;
  readonly endpoint: string;
  readonly revision: number;
  readonly scope: Scope;
  readonly routes: readonly Route[];
  /** From when it counts; an inference process on a virtual clock waits for it. */
  readonly at: Micros;
  readonly reason: string;
  /** Writing another revision under the same key changes nothing. */
  readonly idempotencyKey?: string;
}

const POINTER = "current";
const revisionPath = (directory: string, revision: number) =>
  join(directory, `revision-${String(revision).padStart(6, "0")}.json`);
export const modelFile = (directory: string, artifact: string): string => join(directory, "models", artifact);
export const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Writes aside, syncs, renames: readers see the old file or the new one, also after a power cut. */
function writeWhole(path: string, data: string | Uint8Array): void {
  const aside = `${path}.${process.pid}.new`;
  const file = openSync(aside, "w");
  try {
    writeFileSync(file, data);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(aside, path);
  const folder = openSync(join(path, ".."), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/**
 * Puts a revision and its models (bytes, or the path of a file with them, by sha256) into the endpoint's folder and points to it
 * last, so that an inference process that reads the pointer finds everything. Writing a revision again is harmless. Returns the
 * revision that stands: an earlier one when its idempotency key is the same.
 * @throws SERVING_DEPLOYMENT_INVALID, SERVING_REVISION_CONFLICT
 */
export function writeDeployment(
  directory: string,
  spec: DeploymentSpec,
  models: ReadonlyMap<string, Uint8Array | string>,
): DeploymentSpec {
  const flaw = flawOf(spec);
  if (flaw !== null)
    throw servingErrors.SERVING_DEPLOYMENT_INVALID(`Revision ${spec.revision} of ${spec.endpoint} cannot be deployed: ${flaw}`);
  const written = listRevisions(directory).flatMap((revision) => readIfWhole(directory, revision) ?? []);
  const same = written.find((standing) => isSame(standing, spec));
  if (same !== undefined && same.revision !== spec.revision) return same;
  const newest = written[0]?.revision ?? 0;
  if (same === undefined && spec.revision <= newest) {
    throw servingErrors.SERVING_REVISION_CONFLICT(
      `Revision ${spec.revision} of ${spec.endpoint} cannot be written: revision ${newest} stands already`,
    );
  }
  mkdirSync(join(directory, "models"), { recursive: true });
  for (const { artifact } of spec.routes) putModel(directory, spec, artifact, models.get(artifact));
  if (same === undefined) writeWhole(revisionPath(directory, spec.revision), JSON.stringify(spec));
  if (spec.revision >= newest) writeWhole(join(directory, POINTER), String(spec.revision));
  return spec;
}

function putModel(directory: string, spec: DeploymentSpec, artifact: string, given: Uint8Array | string | undefined): void {
  const path = modelFile(directory, artifact);
  if (existsSync(path) && sha256Of(readFileSync(path)) === artifact) return;
  const bytes = typeof given === "string" ? readFileSync(given) : given;
  if (bytes === undefined || sha256Of(bytes) !== artifact) {
    const what = bytes === undefined ? "is missing" : "is not what its hash says";
    throw servingErrors.SERVING_DEPLOYMENT_INVALID(`The model ${artifact.slice(0, 12)} for ${spec.endpoint} ${what}`);
  }
  writeWhole(path, bytes);
}

const isSame = (standing: DeploymentSpec, spec: DeploymentSpec) =>
  spec.idempotencyKey === undefined
    ? isDeepStrictEqual(standing, JSON.parse(JSON.stringify(spec)))
    : standing.idempotencyKey === spec.idempotencyKey;

const SHARE_TOLERANCE = 1e-9;

function flawOf(spec: DeploymentSpec): string | null {
  if (spec.formatVersion !== 1) return `its format is ${spec.formatVersion}`;
  if (!Number.isSafeInteger(spec.revision) || spec.revision < 1) return "revisions count from 1";
  if (!Array.isArray(spec.routes) || spec.routes.length === 0) return "it has no routes";
  if (spec.routes.some(({ artifact }) => !/^[0-9a-f]{64}$/.test(artifact))) return "a route names no artifact";
  if (spec.routes.some(({ share }) => !(share >= 0 && share <= 1))) return "a share lies outside 0…1";
  const total = spec.routes.reduce((sum, { share }) => sum + share, 0);
  return Math.abs(total - 1) > SHARE_TOLERANCE ? `the shares add up to ${total}` : null;
}

/** The pointer's text: cheap to read, and changes with every deployment. */
export function readPointer(directory: string): string | null {
  try {
    return readFileSync(join(directory, POINTER), "utf8");
  } catch {
    return null;
  }
}

/** @throws SERVING_DEPLOYMENT_BROKEN */
export function readRevision(directory: string, revision: number): DeploymentSpec {
  const broken = (why: string, cause?: unknown) =>
    servingErrors.SERVING_DEPLOYMENT_BROKEN(`Revision ${revision} in ${directory} cannot be read: ${why}`, { cause });
  let spec: DeploymentSpec;
  try {
    // Any JSON is possible here: flawOf looks at what matters.
    spec = JSON.parse(readFileSync(revisionPath(directory, revision), "utf8")) as DeploymentSpec;
    if (spec === null || typeof spec !== "object") throw new TypeError("no object");
  } catch (cause) {
    throw broken(cause instanceof Error ? cause.message : String(cause), cause);
  }
  const flaw = spec.revision === revision ? flawOf(spec) : `it says that it is revision ${spec.revision}`;
  if (flaw !== null) throw broken(flaw);
  return spec;
}

function readIfWhole(directory: string, revision: number): DeploymentSpec | null {
  try {
    return readRevision(directory, revision);
  } catch {
    return null;
  }
}

/** Revision numbers, newest first. */
export function listRevisions(directory: string): number[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .map((name) => /^revision-(\d+)\.json$/.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => b - a);
}

/** The revision that the pointer names; the newest one there is when the pointer itself is damaged; `null` before the first. */
export function currentRevision(directory: string, pointer: string | null = readPointer(directory)): number | null {
  if (pointer !== null && /^\d+$/.test(pointer)) return Number(pointer);
  return pointer === null ? null : (listRevisions(directory)[0] ?? null);
}

/** The current revision, or the last good one before it when it cannot be read; `null` where there is none. */
export function readCurrent(directory: string): DeploymentSpec | null {
  const wanted = currentRevision(directory);
  if (wanted === null) return null;
  for (const revision of listRevisions(directory)) {
    const spec = revision > wanted ? null : readIfWhole(directory, revision);
    if (spec !== null) return spec;
  }
  return null;
}

/** What an inference process may answer with, newest first: the current revision, and what was before it until that counts. */
export function readServed(directory: string, now: Micros): DeploymentSpec[] {
  const current = readCurrent(directory);
  if (current === null) return [];
  const revisions = listRevisions(directory)
    .filter((revision) => revision <= current.revision)
    .flatMap((revision) => readIfWhole(directory, revision) ?? []);
  const since = revisions.findIndex(({ at }) => at <= now);
  return since < 0 ? revisions : revisions.slice(0, since + 1);
}
