import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { onEachDatabase, type TestDatabase } from "../../../../test/fixtures/databases.ts";
import type { Database } from "../../ports/index.ts";
import type { Search } from "../interfaces.ts";
import type { FindKeys, FoundKeys, LoggedModelSearch } from "./interfaces.ts";
import { searchExperimentIds, searchLoggedModelIds, searchModelNames, searchVersionKeys } from "./search-entities.ts";

const scope = { workspace: "w", project: "p" };
const MILLISECOND = 1_000;

await onEachDatabase((open) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
  });
  afterAll(() => database.drop());

  const insert = <Table extends keyof Database & string>(table: Table, rows: readonly Database[Table][]) =>
    database.store.insertMany(database.store.db, table, rows);

  async function inPages<Key, Query extends object>(find: FindKeys<Key, Query>, search: Query): Promise<Key[]> {
    const keys: Key[] = [];
    let cursor: string | undefined;
    do {
      const page: FoundKeys<Key> = await find(database.store, scope, { ...search, limit: 2, cursor });
      keys.push(...page.ids);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    return keys;
  }

  describe("experiments", () => {
    beforeAll(async () => {
      const experiment = (
        id: string,
        name: string,
        createdAt: number,
        updatedAt: number,
        lifecycle: "active" | "deleted" = "active",
      ) => ({
        ...scope,
        id,
        name,
        artifact_location: `mlflow-artifacts:/${id}`,
        lifecycle,
        deleted_at: null,
        created_at: createdAt * MILLISECOND,
        updated_at: updatedAt * MILLISECOND,
      });
      await insert("experiments", [
        experiment("0", "Default", 1, 9),
        experiment("1", "a", 2, 2),
        experiment("2", "ab", 3, 3),
        experiment("3", "Abc", 3, 4),
        experiment("4", "gone", 5, 5, "deleted"),
      ]);
      await insert("experiment_tags", [
        { ...scope, experiment_id: "1", key: "key1", value: "value" },
        { ...scope, experiment_id: "2", key: "key1", value: "vaLue" },
        { ...scope, experiment_id: "3", key: "k e y 1", value: "value" },
      ]);
    });

    it.each<[string, Search, string[]]>([
      ["newest first, then by id", {}, ["2", "3", "1", "0"]],
      ["deleted ones", { view: "deleted" }, ["4"]],
      ["all", { view: "all" }, ["4", "2", "3", "1", "0"]],
      ["by name", { orderBy: ["name"] }, ["3", "0", "1", "2"]],
      ["by name, from the end", { orderBy: ["name DESC"] }, ["2", "1", "0", "3"]],
      ["by creation, the greater id first among equals", { orderBy: ["creation_time"] }, ["0", "1", "3", "2"]],
      ["by last update", { orderBy: ["last_update_time DESC"] }, ["0", "3", "2", "1"]],
      ["by id", { orderBy: ["experiment_id ASC"] }, ["0", "1", "2", "3"]],
      ["with a name", { filter: "attribute.`name` = 'a'" }, ["1"]],
      ["with another name", { filter: "name != 'a'" }, ["2", "3", "0"]],
      ["with a name like it", { filter: "name LIKE 'a%'" }, ["2", "1"]],
      ["with a name like it in any case", { filter: "name ILIKE 'A%' AND name ILIKE '%B'" }, ["2"]],
      ["of a millisecond", { filter: "creation_time = 3" }, ["2", "3"]],
      ["of another millisecond", { filter: "creation_time != 3" }, ["1", "0"]],
      ["updated since", { filter: "last_update_time >= 4" }, ["3", "0"]],
      ["with a tag", { filter: "tag.key1 = 'value'" }, ["1"]],
      ["with another value of a tag, not those without it", { filter: "tags.key1 != 'value'" }, ["2"]],
      ["with a tag that has spaces", { filter: "tag.\"k e y 1\" = 'value'" }, ["3"]],
      ["without a tag", { filter: "tags.key1 IS NULL" }, ["3", "0"]],
      ["by either", { filter: "tags.key1 IS NULL AND (name = 'Default' OR experiment_id IN ('1', '3'))" }, ["3", "0"]],
      ["by a tag, those without it last", { orderBy: ["tags.key1 DESC"] }, ["1", "2", "3", "0"]],
    ])("are found %s", async (_, search, expected) => {
      expect(await inPages(searchExperimentIds, search)).toEqual(expected);
    });
  });

  describe("registered models and their versions", () => {
    beforeAll(async () => {
      const names = ["b", "a", "C", "prompt", "no-prompt", "gone"];
      await insert(
        "registered_models",
        names.map((name, place) => ({
          ...scope,
          name,
          description: "",
          lifecycle: name === "gone" ? ("deleted" as const) : ("active" as const),
          deleted_at: null,
          deleted_name: null,
          last_version: 0,
          created_at: place * MILLISECOND,
          updated_at: (names.length - Math.floor(place / 2)) * MILLISECOND,
        })),
      );
      await insert("registered_model_tags", [
        { ...scope, model: "a", key: "team", value: "x" },
        { ...scope, model: "b", key: "team", value: "y" },
        { ...scope, model: "prompt", key: "mlflow.prompt.is_prompt", value: "true" },
        { ...scope, model: "no-prompt", key: "mlflow.prompt.is_prompt", value: "false" },
      ]);
      const version = (model: string, number: number, updatedAt: number, more: Partial<Database["model_versions"]> = {}) => ({
        ...scope,
        model,
        version: number,
        run_id: null,
        artifact: null,
        source: `mlflow-artifacts:/${model}/${number}`,
        run_link: null,
        location: null,
        model_id: null,
        status: "ready" as const,
        status_message: null,
        stage: "None" as const,
        lifecycle: "active" as const,
        deleted_at: null,
        created_at: number * MILLISECOND,
        updated_at: updatedAt * MILLISECOND,
        actor: "system:test",
        description: "",
        ...more,
      });
      await insert("model_versions", [
        version("a", 1, 5, { run_id: "run-1" }),
        version("a", 2, 5, { run_id: "run-2", stage: "Production" }),
        version("a", 10, 1, { status: "failed" }),
        version("b", 1, 9, { run_id: "run-1" }),
        version("b", 2, 9, { lifecycle: "deleted" }),
        version("prompt", 1, 2),
      ]);
      await insert("model_version_tags", [
        { ...scope, model: "a", version: 1, key: "k", value: "v" },
        { ...scope, model: "prompt", version: 1, key: "mlflow.prompt.is_prompt", value: "true" },
      ]);
    });

    it.each<[string, Search, string[]]>([
      ["by name, without prompts", {}, ["C", "a", "b", "no-prompt"]],
      ["that are no prompts, tagged or not", { filter: "tag.`mlflow.prompt.is_prompt` != 'true'" }, ["C", "a", "b", "no-prompt"]],
      ["that are no prompts, said so", { filter: "tags.mlflow.prompt.is_prompt = 'false'" }, ["C", "a", "b", "no-prompt"]],
      ["that are prompts", { filter: "tags.`mlflow.prompt.is_prompt` = 'true'" }, ["prompt"]],
      ["without the tag", { filter: "tags.`mlflow.prompt.is_prompt` IS NULL" }, ["C", "a", "b"]],
      ["with a tag and no prompt", { filter: "tags.`mlflow.prompt.is_prompt` != 'true' AND tags.team = 'x'" }, ["a"]],
      ["with another value of a tag", { filter: "tags.team != 'x'" }, ["b"]],
      ["with a name", { filter: "name = 'a'" }, ["a"]],
      ["with one of some names", { filter: "name IN ('a', 'C', 'gone')" }, ["C", "a"]],
      ["with a name like it", { filter: "name ILIKE '%O-P%'" }, ["no-prompt"]],
      ["from the end", { orderBy: ["name DESC"] }, ["no-prompt", "b", "a", "C"]],
      ["by their time, then by name", { orderBy: ["timestamp DESC"] }, ["a", "b", "C", "no-prompt"]],
      [
        "by their time, whatever is between",
        { orderBy: ["last_updated_timestamp\r\rasc", "name   deSc"] },
        ["no-prompt", "C", "b", "a"],
      ],
      ["by creation", { orderBy: ["created DESC"] }, ["no-prompt", "C", "a", "b"]],
      ["deleted", { view: "deleted" }, ["gone"]],
    ])("models are found %s", async (_, search, expected) => {
      expect(await inPages(searchModelNames, search)).toEqual(expected);
    });

    it.each([["creation_timestamp DESC"], ["name DESC blah"], ["run_id"], ["metrics.a"], ["name, timestamp"]])(
      "models have no order %s",
      async (term) => {
        await expect(searchModelNames(database.store, scope, { orderBy: ["name ASC", term] })).rejects.toMatchObject({
          code: "TRACKING_ORDER_INVALID",
        });
      },
    );

    it.each([
      [["timestamp", "last_updated_timestamp"]],
      [["name", "name DESC"]],
      [["last_updated_timestamp", "last_updated_timestamp"]],
    ])("an order holds each once, not %j", async (orderBy) => {
      await expect(searchModelNames(database.store, scope, { orderBy })).rejects.toMatchObject({
        code: "TRACKING_ORDER_INVALID",
        details: { objection: "duplicate" },
      });
    });

    it.each<[string, Search, string[]]>([
      ["newest change first, then by name, then newest first", {}, ["b/1", "a/2", "a/1", "a/10"]],
      ["of a model", { filter: "name = 'a'" }, ["a/2", "a/1", "a/10"]],
      ["of a run", { filter: "run_id = 'run-1'" }, ["b/1", "a/1"]],
      ["of one of some runs", { filter: "run_id IN ('run-1', 'run-2')" }, ["b/1", "a/2", "a/1"]],
      ["of no run", { filter: "run_id IS NULL" }, ["a/10"]],
      ["of another run, not those without one", { filter: "run_id != 'run-1'" }, ["a/2"]],
      ["with a number", { filter: "version_number <= 2" }, ["b/1", "a/2", "a/1"]],
      ["with a number in quotes", { filter: "version_number = '10'" }, ["a/10"]],
      ["with a source", { filter: "source_path LIKE '%/a/1%'" }, ["a/1", "a/10"]],
      ["with a tag", { filter: "tags.k = 'v'" }, ["a/1"]],
      ["in a stage", { filter: "current_stage = 'Production'" }, ["a/2"]],
      ["with a status", { filter: "status = 'FAILED_REGISTRATION'" }, ["a/10"]],
      ["that are prompts", { filter: "tags.`mlflow.prompt.is_prompt` = 'true'" }, ["prompt/1"]],
      ["by number, as numbers", { orderBy: ["version_number ASC"] }, ["a/1", "b/1", "a/2", "a/10"]],
      ["by name, newest first", { orderBy: ["name DESC"] }, ["b/1", "a/10", "a/2", "a/1"]],
      ["by creation", { orderBy: ["creation_timestamp"] }, ["a/1", "b/1", "a/2", "a/10"]],
      ["deleted", { view: "deleted" }, ["b/2"]],
      [
        "beyond any number",
        { filter: "version_number < 99999999999999999999 AND version_number > -1" },
        ["b/1", "a/2", "a/1", "a/10"],
      ],
    ])("versions are found %s", async (_, search, expected) => {
      const keys = await inPages(searchVersionKeys, search);
      expect(keys.map(({ model, version }) => `${model}/${version}`)).toEqual(expected);
    });

    it.each(["run_id DESC", "source_path", "last_updated_timestamp DESC blah"])("versions have no order %s", async (term) => {
      await expect(searchVersionKeys(database.store, scope, { orderBy: [term] })).rejects.toMatchObject({
        code: "TRACKING_ORDER_INVALID",
      });
    });
  });

  describe("logged models", () => {
    beforeAll(async () => {
      const model = (id: string, createdAt: number, more: Partial<Database["logged_models"]> = {}) => ({
        ...scope,
        id,
        experiment_id: "0",
        name: `name of ${id}`,
        artifact_location: "",
        status: "ready" as const,
        status_message: null,
        lifecycle: "active" as const,
        deleted_at: null,
        model_type: null,
        source_run_id: null,
        created_at: createdAt * MILLISECOND,
        updated_at: createdAt * MILLISECOND,
        ...more,
      });
      await insert("logged_models", [
        model("m-1", 1, { source_run_id: "run-1", model_type: "agent" }),
        model("m-2", 2, { status: "pending" }),
        model("m-3", 3, { experiment_id: "1" }),
        model("m-4", 3, { lifecycle: "deleted" }),
      ]);
      const metric = (id: string, key: string, value: number, step: number, dataset = "", digest = "") => ({
        ...scope,
        model_id: id,
        run_id: "run-1",
        key,
        step,
        logged_at: step,
        value: Number.isNaN(value) ? 0 : value,
        is_nan: Number.isNaN(value) ? 1 : 0,
        dataset_name: dataset,
        dataset_digest: digest,
      });
      await insert("logged_model_metrics", [
        metric("m-1", "auc", 0.9, 0, "train", "1"),
        metric("m-1", "auc", 0.5, 1, "test", "1"),
        metric("m-2", "auc", 0.6, 0, "train", "2"),
        metric("m-2", "auc", 0.7, 1, "train", "2"),
        metric("m-3", "auc", Number.NaN, 0),
        metric("m-3", "loss", 1, 0),
      ]);
      await insert("logged_model_params", [{ ...scope, model_id: "m-1", key: "depth", value: "3" }]);
      await insert("logged_model_tags", [{ ...scope, model_id: "m-2", key: "tag 3", value: "v" }]);
    });

    const both = ["0", "1"];
    it.each<[string, LoggedModelSearch, string[]]>([
      ["newest first", { experimentIds: both }, ["m-3", "m-2", "m-1"]],
      ["of an experiment", { experimentIds: ["0"] }, ["m-2", "m-1"]],
      ["of none", { experimentIds: [] }, []],
      ["deleted too", { experimentIds: ["0"], view: "all" }, ["m-4", "m-2", "m-1"]],
      ["with a metric at any step", { experimentIds: both, filter: "metrics.auc > 0.8" }, ["m-1"]],
      ["with a metric, whatever its data set", { experimentIds: both, filter: "metrics.auc <= 0.6" }, ["m-2", "m-1"]],
      ["with a metric that is NaN", { experimentIds: both, filter: "metrics.auc = NaN" }, ["m-3"]],
      ["with a metric on a data set", { experimentIds: both, filter: "metrics.auc > 0.5", datasets: [{ name: "test" }] }, []],
      ["with any metric on a data set", { experimentIds: both, datasets: [{ name: "train" }] }, ["m-2", "m-1"]],
      ["with any metric on a data set's version", { experimentIds: both, datasets: [{ name: "train", digest: "1" }] }, ["m-1"]],
      [
        "with any metric on one of two",
        { experimentIds: both, datasets: [{ name: "test" }, { name: "train", digest: "2" }] },
        ["m-2", "m-1"],
      ],
      ["with a param", { experimentIds: both, filter: "params.depth = '3'" }, ["m-1"]],
      ["without a param", { experimentIds: both, filter: "params.depth IS NULL" }, ["m-3", "m-2"]],
      ["with a tag", { experimentIds: both, filter: "tags.`tag 3` = 'v'" }, ["m-2"]],
      ["with a status", { experimentIds: both, filter: "status = 'PENDING'" }, ["m-2"]],
      ["of a run and a type", { experimentIds: both, filter: "source_run_id = 'run-1' AND model_type ILIKE 'AG%'" }, ["m-1"]],
      ["with a name", { experimentIds: both, filter: "name IN ('name of m-1',)" }, ["m-1"]],
      ["since", { experimentIds: both, filter: "creation_time > 1" }, ["m-3", "m-2"]],
      ["by name", { experimentIds: both, orderBy: [{ field: "name", ascending: true }] }, ["m-1", "m-2", "m-3"]],
      [
        "by creation",
        { experimentIds: both, orderBy: [{ field: "creation_timestamp", ascending: true }] },
        ["m-1", "m-2", "m-3"],
      ],
      [
        "by the metric logged last, NaN last",
        { experimentIds: both, orderBy: [{ field: "metrics.auc", ascending: true }] },
        ["m-1", "m-2", "m-3"],
      ],
      [
        "by the metric of a data set, those without last",
        { experimentIds: both, orderBy: [{ field: "metrics.auc", ascending: false, dataset: { name: "train" } }] },
        ["m-1", "m-2", "m-3"],
      ],
      [
        "by the metric of a data set's version, those without newest first",
        { experimentIds: both, orderBy: [{ field: "metrics.auc", ascending: true, dataset: { name: "train", digest: "2" } }] },
        ["m-2", "m-3", "m-1"],
      ],
      [
        "by two data sets' values of one metric",
        {
          experimentIds: both,
          orderBy: [
            { field: "metrics.auc", ascending: true, dataset: { name: "test" } },
            { field: "metrics.auc", ascending: true, dataset: { name: "train" } },
          ],
        },
        ["m-1", "m-2", "m-3"],
      ],
      [
        "by a metric nobody has",
        { experimentIds: both, orderBy: [{ field: "metrics.none", ascending: true }] },
        ["m-3", "m-2", "m-1"],
      ],
    ])("are found %s", async (_, search, expected) => {
      expect(await inPages(searchLoggedModelIds, search)).toEqual(expected);
    });

    it.each(["nothing", "nothing.auc", "metrics.auc DESC", "datasets.name", "", "name; --"])(
      "have no order %j",
      async (field) => {
        await expect(
          searchLoggedModelIds(database.store, scope, { experimentIds: both, orderBy: [{ field, ascending: true }] }),
        ).rejects.toMatchObject({ code: "TRACKING_ORDER_INVALID" });
      },
    );

    it("a data set to look at has a name", async () => {
      await expect(
        searchLoggedModelIds(database.store, scope, { experimentIds: both, datasets: [{ name: "" }] }),
      ).rejects.toMatchObject({ code: "TRACKING_FILTER_INVALID" });
    });
  });
});
