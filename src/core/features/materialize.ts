import { randomUUID } from "node:crypto";
import { hasVersions } from "../data/index.ts";
import type { FeatureViewDefinition } from "../definitions/index.ts";
import type { OnlineStore, TableEngine } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { type CompiledView, compileView } from "./compile-view.ts";
import { recordLayout } from "./entity-record.ts";
import { type FeatureStatistics, StatisticsSample } from "./feature-statistics.ts";
import { removeLeftovers } from "./leftovers.ts";
import {
  greatestLateness,
  type MaterializedFrom,
  newestEvent,
  onlyLaterRows,
  rowsAhead,
  sharesOf,
  type VisibleRange,
  visibleRows,
} from "./materialized-rows.ts";
import { FORMAT_VERSION, readEntry } from "./online-entry.ts";
import { entityPrefix, fingerprintOf, ONLINE_RETENTION, type OnlineView } from "./online-view.ts";
import { tileSizes } from "./tile-directory.ts";
import { currentSlot, definitionsOf, type VersionSlot } from "./view-versions.ts";
import { type WrittenRecords, writeRecords } from "./write-records.ts";

export interface MaterializeInput extends MaterializedFrom {
  readonly scope: Scope;
  readonly until: Micros;
  /** Writes everything anew, also at an earlier `until`. */
  readonly full?: boolean;
}

export interface Materialization {
  readonly view: string;
  /** Rows that became visible in (from, until] were written; null from the beginning. */
  readonly from: Micros | null;
  readonly until: Micros;
  readonly rows: number;
  /** Entities written. */
  readonly entities: number;
  /** Of their values at `until`; of what was written in this process, where another had begun. */
  readonly statistics: readonly FeatureStatistics[];
}

interface Deps {
  readonly engine: TableEngine;
  readonly online: OnlineStore;
}

/**
 * Brings one view's online values up to `until`, with bounded memory. Only rows that became visible since the last time are read, unless
 * the view's definition changed, or rows may have been replaced or delivered late; then all of it is written anew, beside what is there,
 * and the view's entry turns to it when it is whole. Ended in the middle, it goes on when it is done again, and changes nothing twice. An
 * `until` that is not later than the last one does nothing. What another definition made stays readable, as an earlier version.
 */
export async function materialize(deps: Deps, input: MaterializeInput): Promise<Materialization> {
  return bringUpTo(deps, input, await currentSlot(deps.online, input.scope, input.view));
}

/** The same of one version of a view, as `input.view` defines it. */
export async function bringUpTo(deps: Deps, input: MaterializeInput, slot: VersionSlot): Promise<Materialization> {
  const { engine, online } = deps;
  const { scope, view: definition, snapshot } = input;
  const view = await compiledOnce(engine, definition);
  const fingerprint = fingerprintOf(view);
  const { stored } = slot;
  if (stored?.leftovers === true) await removeLeftovers(online, scope, view.name);

  const unchanged = stored?.fingerprint === fingerprint && input.full !== true;
  const sameRows = unchanged && stored.contentHash === snapshot.contentHash;
  if (sameRows && (input.until <= stored.until || (view.eventTime === null && view.classes.every(isTimeless)))) {
    return { view: view.name, from: stored.until, until: stored.until, rows: 0, entities: 0, statistics: [] };
  }
  const until = unchanged ? Math.max(input.until, stored.until) : input.until;
  const appended = unchanged && (sameRows || (await onlyLaterRows(engine, view, stored, input)));
  if (!appended) return rewrite(deps, input, slot, view, fingerprint, until);

  const lateness = sameRows ? stored.lateness : await greatestLateness(engine, view, input);
  const sample = new StatisticsSample(stored, view.ttl, until);
  const written = await increment(deps, input, view, stored, { after: stored.until, until, lateness }, sample);
  const seen = newer(stored.newestEventAt, written.newestEventAt);
  const newestEventAt = seen ?? (await newestEvent(engine, view, input, until));
  await online.putMany(
    slot.write(entryOf(definition, view, input, { ...stored, leftovers: false, until, lateness, newestEventAt })),
  );
  const { rows, entities } = written;
  return { view: view.name, from: stored.until, until, rows, entities, statistics: sample.result() };
}

/** How far the writing of a generation has come. */
interface Progress {
  readonly generation: string;
  readonly fingerprint: string;
  readonly contentHash: string;
  readonly until: Micros;
  readonly lateness: Micros;
  readonly shares: number;
  /** Shares that are written. */
  readonly done: number;
  readonly written: WrittenRecords;
}

/** Every record anew, in a generation of its own. */
async function rewrite(
  { engine, online }: Deps,
  input: MaterializeInput,
  slot: VersionSlot,
  view: CompiledView,
  fingerprint: string,
  until: Micros,
): Promise<Materialization> {
  const { scope, view: definition, snapshot } = input;
  const key = slot.progress;
  let progress = await readProgress(online, key);
  const goesOn =
    progress?.fingerprint === fingerprint && progress.contentHash === snapshot.contentHash && progress.until === until;
  if (progress === null || !goesOn) {
    const lateness = await greatestLateness(engine, view, input);
    const shares = await sharesOf(engine, view, input, { after: null, until, lateness });
    const generation = randomUUID().slice(0, 8);
    const written = { rows: 0, entities: 0, newestEventAt: null };
    progress = { generation, fingerprint, contentHash: snapshot.contentHash, until, lateness, shares, done: 0, written };
  }
  const { generation, lateness, shares } = progress;
  const shape = { classes: view.classes, versions: hasVersions(snapshot) };
  const sample = new StatisticsSample(shape, view.ttl, until);
  const prefix = entityPrefix(scope, view.name, generation);
  const target = { online, view, layouts: recordLayout(shape), prefix, sample, sizes: tileSizes(input.tileRows) };
  while (progress.done < shares) {
    await online.putMany([[key, Buffer.from(JSON.stringify(progress))]]);
    const share = shares === 1 ? null : { number: progress.done, of: shares };
    const rows = await visibleRows(engine, view, input, { after: null, until, lateness }, share);
    const written = await writeRecords(target, rows, { from: null, until, keepFrom: until - ONLINE_RETENTION });
    progress = { ...progress, done: progress.done + 1, written: together(progress.written, written) };
  }
  const { rows, entities } = progress.written;
  // Where rows were written, the newest is among them: what is left out is older than every window.
  const newestEventAt = progress.written.newestEventAt ?? (await newestEvent(engine, view, input, until));
  const entry = { generation, fingerprint, until, lateness, newestEventAt, leftovers: true };
  await online.putMany([...slot.write(entryOf(definition, view, input, entry)), [key, null]]);
  await removeLeftovers(online, scope, view.name);
  return { view: view.name, from: null, until, rows, entities, statistics: sample.result() };
}

async function increment(
  { engine, online }: Deps,
  input: MaterializeInput,
  view: CompiledView,
  stored: OnlineView,
  range: VisibleRange & { readonly after: Micros },
  sample: StatisticsSample,
): Promise<WrittenRecords> {
  const prefix = entityPrefix(input.scope, view.name, stored.generation);
  const target = { online, view, layouts: recordLayout(stored), prefix, sample, sizes: tileSizes(input.tileRows) };
  // The view's entry still says the earlier time while records are written: reads that it allows stay exact.
  const times = { from: range.after, until: range.until, keepFrom: range.after - ONLINE_RETENTION };
  const ahead = await rowsAhead(engine, view, input, range, stored.fingerprint);
  if (ahead !== null) return writeRecords(target, ahead, times);
  const shares = await sharesOf(engine, view, input, range);
  let written: WrittenRecords = { rows: 0, entities: 0, newestEventAt: null };
  for (let number = 0; number < shares; number++) {
    const share = shares === 1 ? null : { number, of: shares };
    written = together(written, await writeRecords(target, await visibleRows(engine, view, input, range, share), times));
  }
  return written;
}

const together = (one: WrittenRecords, other: WrittenRecords): WrittenRecords => ({
  rows: one.rows + other.rows,
  entities: one.entities + other.entities,
  newestEventAt: newer(one.newestEventAt, other.newestEventAt),
});

const newer = (one: Micros | null, other: Micros | null) =>
  one === null || other === null ? (one ?? other) : Math.max(one, other);

/** What changes from one materialization to the next. */
type Standing = Pick<OnlineView, "generation" | "leftovers" | "fingerprint" | "until" | "lateness" | "newestEventAt">;

function entryOf(
  definition: FeatureViewDefinition,
  view: CompiledView,
  { snapshot }: MaterializeInput,
  { generation, leftovers, fingerprint, until, lateness, newestEventAt }: Standing,
): OnlineView {
  return {
    formatVersion: FORMAT_VERSION,
    view: view.name,
    generation,
    leftovers,
    fingerprint,
    keys: view.keys,
    keyTypes: view.keyTypes,
    definitions: definitionsOf(definition),
    classes: view.classes,
    versions: hasVersions(snapshot),
    until,
    retention: ONLINE_RETENTION,
    contentHash: snapshot.contentHash,
    parts: snapshot.parts.map(({ sha256 }) => sha256),
    lateness,
    newestEventAt,
  };
}

async function readProgress(online: OnlineStore, key: string): Promise<Progress | null> {
  const [bytes] = await online.getMany([key]);
  return bytes === null || bytes === undefined ? null : (readEntry(bytes, key) as Progress);
}

const compiledViews = new WeakMap<FeatureViewDefinition, Promise<CompiledView>>();

/** Compiling asks the engine about each expression; a materialization every hour need not. */
export function compiledOnce(engine: TableEngine, view: FeatureViewDefinition): Promise<CompiledView> {
  const known = compiledViews.get(view);
  if (known !== undefined) return known;
  const compiled = compileView(engine, view);
  compiledViews.set(view, compiled);
  compiled.catch(() => compiledViews.delete(view));
  return compiled;
}

const isTimeless = ({ availability }: CompiledView["classes"][number]) => availability.length === 0;
