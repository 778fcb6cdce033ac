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
}

const POINTER = "current";
const revisionFile = (revision: number) => `revision-${String(revision).padStart(6, "0")}.json`;
export const modelFile = (directory: string, artifact: string): string => join(directory, "models", artifact);

/** Writes aside, syncs, renames: readers see the old file or the new one. */
function writeWhole(path: string, data: string | Uint8Array): void {
  const file = openSync(`${path}.new`, "w");
  writeFileSync(file, data);
  fsyncSync(file);
  closeSync(file);
  renameSync(`${path}.new`, path);
}

/**
 * Puts a revision and its models into the endpoint's folder and points to it last, so that an inference process that reads the
 * pointer finds everything. Writing the same revision again is harmless.
 */
export function writeDeployment(directory: string, spec: DeploymentSpec, models: ReadonlyMap<string, Uint8Array>): void {
  mkdirSync(join(directory, "models"), { recursive: true });
  for (const [artifact, bytes] of models) {
    if (!existsSync(modelFile(directory, artifact))) writeWhole(modelFile(directory, artifact), bytes);
  }
  writeWhole(join(directory, revisionFile(spec.revision)), JSON.stringify(spec));
  writeWhole(join(directory, POINTER), String(spec.revision));
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
  try {
    const spec = JSON.parse(readFileSync(join(directory, revisionFile(revision)), "utf8")) as DeploymentSpec;
    if (spec.formatVersion !== 1 || spec.revision !== revision || spec.routes.length === 0)
      throw new TypeError("not a deployment of format 1");
    return spec;
  } catch (cause) {
    throw servingErrors.SERVING_DEPLOYMENT_BROKEN(
      `Revision ${revision} in ${directory} cannot be read: ${(cause as Error).message}`,
      { cause },
    );
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

/** The revision that the pointer names, or `null` before the first. @throws SERVING_DEPLOYMENT_BROKEN */
export function readCurrent(directory: string): DeploymentSpec | null {
  const pointer = readPointer(directory);
  return pointer === null ? null : readRevision(directory, Number(pointer));
}
