import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FilesystemArtifactStore } from "../../adapters/artifacts/filesystem.ts";
import { openDuckDb } from "../../adapters/tables/duckdb.ts";
import type { SourceDefinition } from "../definitions/index.ts";
import type { ArtifactStore, SqlValue, TableEngine } from "../ports/index.ts";
import { type Micros, parseTimestamp } from "../time.ts";
import {
  type IngestOptions,
  ingest,
  quoteLiteral,
  type RelationOptions,
  type Snapshot,
  snapshotPaths,
  snapshotRelation,
} from "./index.ts";

/** A folder with a project's files and a state beside it, on the real engine and the real store. */
export interface DataRoom {
  readonly engine: TableEngine;
  readonly artifacts: ArtifactStore;
  readonly directory: string;
  readonly tmpDirectory: string;
  write(file: string, text: string | Uint8Array): string;
  /** Writes the result of a query as Parquet. */
  parquet(file: string, query: string): Promise<string>;
  ingest(source: SourceDefinition, options?: Partial<IngestOptions>): Promise<Snapshot>;
  read(
    snapshot: Snapshot,
    source: SourceDefinition,
    options?: RelationOptions,
    rest?: string,
  ): Promise<Record<string, SqlValue>[]>;
  relation(snapshot: Snapshot, source: SourceDefinition, options?: RelationOptions): Promise<string>;
  /** Names of files left where only finished ones may stay. */
  leftovers(): string[];
  close(): void;
}

export const NOW: Micros = parseTimestamp("2024-01-01T00:00:00Z");
export const at = parseTimestamp;

export async function openDataRoom(threads = 2): Promise<DataRoom> {
  const root = mkdtempSync(join(tmpdir(), "orrery-data-"));
  const directory = join(root, "project");
  const tmpDirectory = join(root, "tmp");
  mkdirSync(directory);
  const engine = await openDuckDb({ threads });
  const artifacts = new FilesystemArtifactStore(join(root, "artifacts"));
  const relation: DataRoom["relation"] = async (snapshot, source, options) =>
    snapshotRelation(snapshot, source, await snapshotPaths(artifacts, snapshot), options);
  const list = (folder: string) => {
    try {
      return readdirSync(folder);
    } catch {
      return [];
    }
  };
  return {
    engine,
    artifacts,
    directory,
    tmpDirectory,
    write(file, text) {
      writeFileSync(join(directory, file), text);
      return join(directory, file);
    },
    async parquet(file, query) {
      await engine.run(`COPY (${query}) TO ${quoteLiteral(join(directory, file))} (FORMAT parquet)`);
      return join(directory, file);
    },
    ingest: (source, options) =>
      ingest({ engine, artifacts, tmpDirectory }, source, { projectDirectory: directory, asOf: NOW, createdAt: NOW, ...options }),
    read: async (snapshot, source, options, rest = "") =>
      engine.rows(`SELECT * FROM ${await relation(snapshot, source, options)} AS t ${rest}`),
    relation,
    leftovers: () => [...list(tmpDirectory), ...list(join(root, "artifacts", "tmp"))],
    close() {
      engine.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
