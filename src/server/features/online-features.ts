import { OrreryError } from "../../core/errors.ts";
import {
  createExactReader,
  type ExactReader,
  type FeaturePlan,
  type OnlineCatalog,
  planOfCatalog,
  readCatalog,
} from "../../core/features/index.ts";
import type { OnlineStore } from "../../core/ports/index.ts";
import type { Scope } from "../../core/scope.ts";
import { featureServerErrors } from "./errors.ts";

/** What is asked for: ids of features in order, or the name of a service. */
export type FeatureAsk = { readonly ids: readonly string[] } | { readonly service: string };

export interface OpenFeatures {
  readonly plan: FeaturePlan;
  readonly reader: ExactReader;
}

/** Lists that were asked for before; clients have few. */
const MOST_OPEN = 500;
const CATALOG_AGE_MS = 1_000;

/** What the online store can be asked for, kept up with what is materialized, and readers of the lists that clients ask for. */
export class OnlineFeatures {
  readonly #online: OnlineStore;
  readonly #scope: Scope;
  #catalog: OnlineCatalog | null = null;
  #bytes: Uint8Array | null = null;
  #readAt = Number.NEGATIVE_INFINITY;
  readonly #open = new Map<string, OpenFeatures>();

  constructor(online: OnlineStore, scope: Scope) {
    this.#online = online;
    this.#scope = scope;
  }

  /** @throws FEATURE_SERVER_NOT_READY, and what the store throws */
  async catalog(): Promise<OnlineCatalog> {
    if (this.#catalog === null || performance.now() - this.#readAt > CATALOG_AGE_MS) await this.#renew();
    if (this.#catalog !== null) return this.#catalog;
    throw featureServerErrors.FEATURE_SERVER_NOT_READY("No features have been materialized yet");
  }

  /**
   * The reader of these features.
   * @throws FEATURE_SERVER_NOT_READY, FEATURE_SERVER_SERVICE_UNKNOWN, FEATURE_VIEW_UNKNOWN, FEATURE_UNKNOWN, FEATURE_DUPLICATE, FEATURE_NONE
   */
  async open(ask: FeatureAsk): Promise<OpenFeatures> {
    const catalog = await this.catalog();
    const key = "service" in ask ? `service ${ask.service}` : ask.ids.join("\n");
    const known = this.#open.get(key);
    if (known !== undefined) return known;
    let plan: FeaturePlan;
    try {
      plan = planOf(catalog, ask);
    } catch (error) {
      if (!(error instanceof OrreryError) || !(await this.#renew()) || this.#catalog === null) throw error;
      plan = planOf(this.#catalog, ask);
    }
    const opened = { plan, reader: createExactReader(plan, this.#online, this.#scope) };
    if (this.#open.size >= MOST_OPEN) this.#open.clear();
    this.#open.set(key, opened);
    return opened;
  }

  /** Whether there is another catalog than before. */
  async #renew(): Promise<boolean> {
    const found = await readCatalog(this.#online, this.#scope);
    this.#readAt = performance.now();
    const isSame = found !== null && this.#bytes !== null && Buffer.compare(found.bytes, this.#bytes) === 0;
    if (isSame) return false;
    this.#catalog = found?.catalog ?? null;
    this.#bytes = found?.bytes ?? null;
    this.#open.clear();
    return true;
  }
}

function planOf(catalog: OnlineCatalog, ask: FeatureAsk): FeaturePlan {
  if ("ids" in ask) return planOfCatalog(catalog, ask.ids);
  const service = catalog.services.find(({ name }) => name === ask.service);
  if (service === undefined)
    throw featureServerErrors.FEATURE_SERVER_SERVICE_UNKNOWN(`There is no feature service "${ask.service}"`);
  return planOfCatalog(catalog, service.features);
}
