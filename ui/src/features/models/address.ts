/** What the list of models shows, as its address says it. */
export interface ModelsSearch {
  /** In the search language; every model when absent. */
  readonly filter?: string;
  /** Where this page begins, opaque; absent on the first. */
  readonly cursor?: string;
  /** Counted from 1. */
  readonly page?: number;
}

export function readModelsSearch({ filter, cursor, page }: Record<string, unknown>): ModelsSearch {
  const walked = typeof cursor === "string" && cursor !== "";
  return {
    ...(typeof filter === "string" && filter !== "" && { filter }),
    ...(walked && { cursor }),
    ...(walked && Number.isSafeInteger(page) && Number(page) > 1 && { page: Number(page) }),
  };
}

const MODEL_TABS = ["versions", "gates", "compare", "lineage", "candidates", "explanation", "segments", "card"] as const;
export type ModelTab = (typeof MODEL_TABS)[number];

/** What a model's page shows. */
export interface ModelSearch {
  /** The one that the alias champion has, else the newest, when absent. */
  readonly version?: number;
  readonly tab?: ModelTab;
  /** The version that `version` is compared with; the one before it when absent. */
  readonly from?: number;
}

const isVersion = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 1;

export function readModelSearch({ version, tab, from }: Record<string, unknown>): ModelSearch {
  const known = MODEL_TABS.find((each) => each === tab);
  return {
    ...(isVersion(version) && { version }),
    ...(known !== undefined && { tab: known }),
    ...(isVersion(from) && { from }),
  };
}
