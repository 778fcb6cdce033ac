import { type RawBuilder, sql } from "kysely";
import type { Database } from "../../ports/index.ts";

interface TextAttribute {
  readonly type: "text";
  readonly value: RawBuilder<string | null>;
  readonly nullable: boolean;
  /** How the text of a filter is written in the column, where that differs. */
  readonly stored?: (text: string) => string;
}

interface NumberAttribute {
  readonly type: "number";
  /** Whole numbers. */
  readonly value: RawBuilder<number | null>;
  readonly nullable: boolean;
  /** How many of the column's units are one of the filter's, which are rounded down: 1000 for milliseconds. */
  readonly unit: number;
  /** Whether a filter may compare it with a whole number only; that one may stand in quotes. */
  readonly whole: boolean;
}

export type Attribute = TextAttribute | NumberAttribute;

/** A table of keys and values below an entity. */
export interface KeyedTable {
  readonly table: keyof Database & string;
  /** Its columns that name the entity's, beside workspace and project. */
  readonly owner: readonly (readonly [child: string, parent: string])[];
}

export const KEYED_ROOMS = ["metric", "param", "tag"] as const;
export type KeyedRoom = (typeof KEYED_ROOMS)[number];
export const DATASET_FIELDS = ["name", "digest", "context"] as const;
export type DatasetField = (typeof DATASET_FIELDS)[number];

/** What the identifiers of a filter and an order mean for one kind of thing. */
export interface Entity {
  readonly table: keyof Database & string;
  /** Unique within a project; the last terms of every order. */
  readonly key: readonly { readonly attribute: string; readonly descending: boolean }[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly aliases: Readonly<Record<string, string>>;
  /** What an order may name, and the attribute it means; all attributes and their aliases when null. */
  readonly orderable: Readonly<Record<string, string>> | null;
  readonly rooms: Readonly<Partial<Record<KeyedRoom, KeyedTable>>>;
  readonly datasets: boolean;
  /** Orders without an order. */
  readonly defaultOrder: readonly string[];
  /** Orders what an order leaves undecided, before the key. */
  readonly undecided: readonly string[];
  /** Most rows of a page. */
  readonly limit: number;
}

const text = (column: string, stored?: (text: string) => string): TextAttribute => ({
  type: "text",
  value: sql.ref(column),
  nullable: false,
  ...(stored === undefined ? {} : { stored }),
});
const time = (column: string, whole = false): NumberAttribute => ({
  type: "number",
  value: sql.ref(column),
  nullable: false,
  unit: 1_000,
  whole,
});
const nullable = <A extends Attribute>(attribute: A): A => ({ ...attribute, nullable: true });
const keyed = (table: keyof Database & string, child: string, parent: string): KeyedTable => ({
  table,
  owner: [[child, parent]],
});

const lowerCase = (status: string): string => status.toLowerCase();

const grandparent = sql<string | null>`(
  select parent.parent_run_id from runs as parent
  where parent.workspace = runs.workspace and parent.project = runs.project and parent.id = runs.parent_run_id
)`;

export const runs: Entity = {
  table: "runs",
  key: [{ attribute: "run_id", descending: false }],
  attributes: {
    run_id: text("runs.id"),
    run_name: text("runs.name"),
    status: text("runs.status", lowerCase),
    start_time: time("runs.started_at"),
    end_time: nullable(time("runs.ended_at")),
    user_id: text("runs.user_name"),
    artifact_uri: text("runs.artifact_uri"),
    parent_run_id: nullable(text("runs.parent_run_id")),
    grandparent_run_id: nullable({ type: "text", value: grandparent, nullable: true }),
    actor: text("runs.actor"),
    trace_id: nullable(text("runs.trace_id")),
    git_commit: nullable(text("runs.git_commit")),
  },
  aliases: {
    created: "start_time",
    Created: "start_time",
    "run name": "run_name",
    "Run name": "run_name",
    "Run Name": "run_name",
  },
  orderable: null,
  rooms: {
    metric: keyed("latest_metrics", "run_id", "id"),
    param: keyed("params", "run_id", "id"),
    tag: keyed("tags", "run_id", "id"),
  },
  datasets: true,
  defaultOrder: ["start_time DESC"],
  undecided: ["start_time DESC"],
  limit: 50_000,
};

export const experiments: Entity = {
  table: "experiments",
  key: [{ attribute: "experiment_id", descending: true }],
  attributes: {
    name: text("experiments.name"),
    experiment_id: text("experiments.id"),
    creation_time: time("experiments.created_at", true),
    last_update_time: time("experiments.updated_at", true),
    artifact_location: text("experiments.artifact_location"),
  },
  aliases: {},
  orderable: null,
  rooms: { tag: keyed("experiment_tags", "experiment_id", "id") },
  datasets: false,
  defaultOrder: ["creation_time DESC", "experiment_id ASC"],
  undecided: [],
  limit: 50_000,
};

export const loggedModels: Entity = {
  table: "logged_models",
  key: [{ attribute: "model_id", descending: false }],
  attributes: {
    name: text("logged_models.name"),
    model_id: text("logged_models.id"),
    model_type: nullable(text("logged_models.model_type")),
    status: text("logged_models.status", (status) => lowerCase(status).replace(/^logged_model_/, "")),
    source_run_id: nullable(text("logged_models.source_run_id")),
    creation_timestamp: time("logged_models.created_at"),
    last_updated_timestamp: time("logged_models.updated_at"),
  },
  aliases: { creation_time: "creation_timestamp", last_updated_time: "last_updated_timestamp" },
  orderable: null,
  rooms: {
    metric: keyed("logged_model_metrics", "model_id", "id"),
    param: keyed("logged_model_params", "model_id", "id"),
    tag: keyed("logged_model_tags", "model_id", "id"),
  },
  datasets: false,
  defaultOrder: ["creation_timestamp DESC"],
  undecided: ["creation_timestamp DESC"],
  limit: 50_000,
};

export const registeredModels: Entity = {
  table: "registered_models",
  key: [{ attribute: "name", descending: false }],
  attributes: {
    name: text("registered_models.name"),
    creation_timestamp: time("registered_models.created_at", true),
    last_updated_timestamp: time("registered_models.updated_at", true),
  },
  aliases: {},
  // What MLflow's clients know as the timestamp is the time of the last update.
  orderable: {
    name: "name",
    timestamp: "last_updated_timestamp",
    last_updated_timestamp: "last_updated_timestamp",
    created: "creation_timestamp",
  },
  rooms: { tag: keyed("registered_model_tags", "model", "name") },
  datasets: false,
  defaultOrder: ["name ASC"],
  undecided: [],
  limit: 1_000,
};

export const modelVersions: Entity = {
  table: "model_versions",
  key: [
    { attribute: "name", descending: false },
    { attribute: "version_number", descending: true },
  ],
  attributes: {
    name: text("model_versions.model"),
    version_number: { type: "number", value: sql.ref("model_versions.version"), nullable: false, unit: 1, whole: true },
    run_id: nullable(text("model_versions.run_id")),
    source_path: text("model_versions.source"),
    model_id: nullable(text("model_versions.model_id")),
    status: text("model_versions.status", (status) => lowerCase(status).replace(/_registration$/, "")),
    stage: text("model_versions.stage"),
    creation_timestamp: time("model_versions.created_at", true),
    last_updated_timestamp: time("model_versions.updated_at", true),
  },
  aliases: { current_stage: "stage" },
  orderable: Object.fromEntries(
    ["name", "version_number", "creation_timestamp", "last_updated_timestamp"].map((name) => [name, name]),
  ),
  rooms: {
    tag: {
      table: "model_version_tags",
      owner: [
        ["model", "model"],
        ["version", "version"],
      ],
    },
  },
  datasets: false,
  defaultOrder: ["last_updated_timestamp DESC"],
  undecided: [],
  limit: 200_000,
};

/**
 * Prompts that MLflow keeps as registered models carry this tag. For a filter everything else has the value "false", and a filter
 * that does not ask for it finds no prompts.
 */
export const PROMPT_TAG = "mlflow.prompt.is_prompt";
export const hasPrompts = (entity: Entity): boolean => entity === registeredModels || entity === modelVersions;
