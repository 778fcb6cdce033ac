import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { TRAINING_SET_FILE } from "../../platform/training-sets.ts";
import { type Connection, type ConnectionOptions, connect } from "../connection.ts";
import { cliErrors } from "../errors.ts";
import { show, table } from "../output.ts";

interface TrainingSetsOptions extends ConnectionOptions {
  to?: string;
  json?: boolean;
}

/** `orrery training-sets [list|show ID|rebuild ID --to FILE]`. */
export default async function trainingSets(options: TrainingSetsOptions, action = "list", id = ""): Promise<void> {
  if (!["list", "show", "rebuild"].includes(action)) throw cliErrors.CLI_ACTION_UNKNOWN(`There is no action "${action}"`);
  if (action !== "list" && id === "")
    throw cliErrors.CLI_ARGUMENT_MISSING(`training-sets ${action} needs the training set's id, which its run has too`);
  const connection = await connect(options);
  const { client } = connection;
  try {
    if (action === "list") {
      const { items } = await client.trainingSets.list();
      const rows = items.map(({ id: set, model, savedAt, rows: size, sha256, rebuildable, problem }) => ({
        id: set,
        model,
        saved: savedAt,
        rows: size,
        sha256: sha256.slice(0, 12),
        "can be rebuilt": rebuildable ? "yes" : problem == null ? "no" : `no: ${problem}`,
      }));
      show(options.json, items, () => table(rows));
    } else if (action === "show") {
      const { record, ...set } = await client.trainingSets.get({ id });
      show(options.json, { ...set, record }, () => aboutTrainingSet(set));
    } else {
      const built = await client.trainingSets.rebuild({ id });
      if (options.to !== undefined) await download(connection, id, resolve(options.to));
      show(options.json, { ...built, same: true }, () =>
        [
          `${id} is the same, byte for byte: ${built.rows} rows, ${built.bytes} bytes, sha256 ${built.sha256}`,
          ...(options.to === undefined ? [] : [`it is in ${resolve(options.to)}`]),
        ].join("\n"),
      );
    }
  } finally {
    await connection.close();
  }
}

type TrainingSet = Awaited<ReturnType<Connection["client"]["trainingSets"]["list"]>>["items"][number];

/** A control plane of an earlier release, which may still be running, does not say what speaks against building it again. */
type ToldTrainingSet = Omit<TrainingSet, "problem" | "erased"> & Partial<Pick<TrainingSet, "problem">>;

/** What `training-sets show` says of one. */
export function aboutTrainingSet(set: ToldTrainingSet): string {
  const { id, model, savedAt, asOf, rows, labelled, sha256, bytes, engine, snapshots, rebuildable, problem } = set;
  return [
    `${id}${model === null ? "" : ` of model ${model}`}, saved ${savedAt}`,
    `${rows ?? "?"} rows, ${labelled ?? "?"} with a label, as of ${asOf ?? "?"}; ${bytes} bytes, sha256 ${sha256}, by DuckDB ${engine ?? "?"}`,
    ...(rebuildable ? [] : [`no longer reproducible${problem == null ? "" : `: ${problem}`}`]),
    table(snapshots.map(({ source, id: snapshot, contentHash }) => ({ source, snapshot, content: contentHash.slice(0, 12) }))),
  ].join("\n");
}

/** A file that is half written has another name. */
async function download({ runFile }: Connection, id: string, path: string): Promise<void> {
  const { body } = await runFile({ id, path: TRAINING_SET_FILE });
  const unfinished = `${path}.part`;
  await mkdir(dirname(path), { recursive: true });
  try {
    await pipeline(body ?? [], createWriteStream(unfinished));
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
}
