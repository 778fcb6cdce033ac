import type { Micros } from "../time.ts";
import type { EntityRecord, RecordShape } from "./entity-record.ts";
import type { ExactValue } from "./plan.ts";
import { type RecordReading, readRecord, recordReading } from "./read-record.ts";
import type { TileReference } from "./tiles.ts";
import { tilesToRead } from "./tiles-to-read.ts";

/** What one feature's online values were when a materialization was done. */
export interface FeatureStatistics {
  readonly feature: string;
  /** Entities that were looked at. */
  readonly entities: number;
  readonly nulls: number;
  /** Of numbers, of booleans as 0 and 1, of timestamps in Micros; null of text and where there is no value. */
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** Sample standard deviation; null with fewer than two values. */
  readonly std: number | null;
  /** How many different texts; null of everything else. */
  readonly distinct: number | null;
}

/** Every so many-th entity is looked at, so that a million of them cost no second pass. */
const LOOKED_AT = 10_000;

/** Gathers the statistics of a materialization from records as they are written. */
export class StatisticsSample {
  readonly #names: readonly string[];
  readonly #reading: RecordReading;
  readonly #at: Micros;
  readonly #figures: Figures[];
  #step = 1;
  #seen = 0;

  constructor(shape: RecordShape, ttl: Micros | null, at: Micros) {
    this.#names = shape.classes.flatMap(({ latest, aggregates }) => [...latest, ...aggregates].map(({ name }) => name));
    this.#reading = recordReading(shape, new Map(this.#names.map((name, slot) => [name, slot])), ttl, at);
    this.#at = at;
    this.#figures = this.#names.map(() => new Figures());
  }

  /** How many entities are to come: they decide which are looked at. */
  expect(entities: number): void {
    this.#step = Math.max(1, Math.ceil(entities / LOOKED_AT));
  }

  /** Whether the next entity is looked at. */
  isNext(): boolean {
    return this.#seen++ % this.#step === 0;
  }

  /** The tiles that `add` wants to be in the record. */
  tilesOf(record: EntityRecord): TileReference[] {
    return tilesToRead(this.#reading, record, this.#at);
  }

  add(record: EntityRecord): void {
    const values = new Array<ExactValue>(this.#names.length).fill(null);
    readRecord(this.#reading, record, this.#at, values);
    values.forEach((value, slot) => {
      this.#figures[slot].add(value);
    });
  }

  result(): FeatureStatistics[] {
    return this.#names.map((feature, slot) => ({ feature, ...this.#figures[slot].result() }));
  }
}

/** Mean and squares by Welford's method: Technometrics 4(3), 1962. */
class Figures {
  #entities = 0;
  #count = 0;
  #mean = 0;
  #squares = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #texts: Set<string> | null = null;
  #nulls = 0;

  add(value: ExactValue): void {
    this.#entities++;
    if (value === null) this.#nulls++;
    else if (typeof value === "string") (this.#texts ??= new Set()).add(value);
    else this.#addNumber(Number(value));
  }

  #addNumber(value: number): void {
    this.#count++;
    const from = value - this.#mean;
    this.#mean += from / this.#count;
    this.#squares += from * (value - this.#mean);
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
  }

  result(): Omit<FeatureStatistics, "feature"> {
    const has = this.#count > 0;
    return {
      entities: this.#entities,
      nulls: this.#nulls,
      min: has ? this.#min : null,
      max: has ? this.#max : null,
      mean: has ? this.#mean : null,
      std: this.#count > 1 ? Math.sqrt(this.#squares / (this.#count - 1)) : null,
      distinct: this.#texts?.size ?? null,
    };
  }
}
