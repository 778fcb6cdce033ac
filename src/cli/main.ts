import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { ApiError } from "../client/index.ts";
import { ERROR_KINDS, OrreryError, toOrreryError } from "../core/errors.ts";
import { addServerOptions } from "./server-options.ts";

// Hundreds of TypeScript files are loaded; kept compiled beside the packages, they take a third of the time, here and in every process below.
const compiled = enableCompileCache(fileURLToPath(new URL("../../node_modules/.cache/orrery-compiled", import.meta.url)));
if (compiled.directory !== undefined) process.env.NODE_COMPILE_CACHE ??= compiled.directory;

/** Loads a command's module only when it is called, so that `--help` stays quick. */
const lazy =
  <Options>(load: () => Promise<{ default: (options: Options, ...args: string[]) => Promise<void> }>) =>
  async (...all: unknown[]): Promise<void> => {
    const command = all.at(-1) as Command;
    const args = all
      .slice(0, -2)
      .flat()
      .filter((arg): arg is string => typeof arg === "string");
    await (await load()).default(command.optsWithGlobals<Options & Record<string, unknown>>(), ...args);
  };

const program = new Command("orrery")
  .description("The whole machine-learning-operations loop on one machine")
  .option("-p, --project <folder>", "the project's folder", process.cwd())
  .option("--state <folder>", "the state folder (default: .orrery in the project's folder)")
  .option("--json", "machine-readable output")
  .showHelpAfterError("(orrery --help lists the commands)")
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "orrery: ")) })
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : ERROR_KINDS.invalid.exitCode));

program
  .command("init")
  .argument("<folder>", "the new project's folder")
  .description("write a small project that runs as it is")
  .action(lazy(() => import("./commands/init.ts")));
program
  .command("check")
  .option("--leaks", "build the models' training sets too, and warn of features that seem to know the answer")
  .option("--allow-breaking", "accept changes that what is deployed cannot go on with as it was")
  .description("validate the project's definitions and data, and tell what they change for what is there")
  .action(lazy(() => import("./commands/check.ts")));
addServerOptions(program.command("up"), "4100")
  .description("run the control plane: API, web UI, scheduler, monitors and the endpoints")
  .option("--clock <kind>", "system, or virtual for replays", "system")
  .option("--at <timestamp>", "where a virtual clock starts")
  .option("--online <url>", "redis://… for features instead of the state folder (or set ORRERY_ONLINE_URL)")
  .option("--no-serve", "do not start inference servers")
  .action(lazy(() => import("./commands/up.ts")));
addServerOptions(program.command("server"), "4100")
  .description("keep track only: experiments, runs, artifacts and models of any program, MLflow's clients too; no project file")
  .option("--default-project <name>", "project of addresses that name none; others are under /projects/<name>", "default")
  .action(lazy(() => import("./commands/server.ts")));
program
  .command("demo")
  .description("the whole loop on two months of real flights")
  .option("--no-serve", "end when the replay is over instead of serving the web UI")
  .option("--summary <file>", "write the figures as JSON")
  .option("--port <number>", "port of the API and web UI", "4100")
  .option("--until <date>", "stop the replay earlier (for trying things out)")
  .action(lazy(() => import("./commands/demo.ts")));
program
  .command("run")
  .argument("<pipeline>")
  .option("--reason <text>", "why, for the history", "asked for on the command line")
  .description("start a pipeline and follow it")
  .action(lazy(() => import("./commands/run.ts")));
program
  .command("train")
  .argument("<model>")
  .description("run the pipeline that trains this model")
  .action(lazy(() => import("./commands/train.ts")));
program
  .command("runs")
  .argument("[action]", "list, show, compare, delete, restore or sync", "list")
  .argument("[ids...]")
  .option("--limit <number>", "how many", "20")
  .option("--filter <text>", "as \"metrics.roc_auc > 0.8 and params.candidate = 'linear'\"")
  .option("--order-by <terms>", 'as "metrics.roc_auc DESC"; newest first unless given')
  .option("--experiment <name>", "only those of this experiment")
  .option("--deleted", "those that were deleted")
  .option("--trials", "the trials of searches among them, which --filter does not hide either")
  .option("--parent <id>", "only those below this run: candidates of a training, trials of a candidate")
  .description("runs: search, look at, compare, delete, bring back; sync sends what programs could not send")
  .action(lazy(() => import("./commands/runs.ts")));
program
  .command("experiments")
  .argument("[action]", "list, delete or restore", "list")
  .argument("[name]")
  .option("--limit <number>", "how many", "100")
  .option("--filter <text>", "as \"name LIKE 'churn%'\"")
  .option("--deleted", "those that were deleted")
  .description("experiments, which group runs")
  .action(lazy(() => import("./commands/experiments.ts")));
program
  .command("models")
  .argument(
    "[action]",
    "list, show, history, diff, lineage, dependents, card, export, approve, decline, promote, rollback, rename, delete or restore",
    "list",
  )
  .argument("[name]", "model, or model@version; dependents: a source")
  .argument("[more...]", "diff: the two versions; rename: the new name")
  .option("--limit <number>", "list: how many", "100")
  .option("--filter <text>", "list: as \"name LIKE 'churn%' and tags.team = 'ops'\"")
  .option("--order-by <terms>", 'list: as "last_updated_timestamp DESC"; by name unless given')
  .option("--to <path>", "export: the file, or with --format mlflow the folder, to write the version to")
  .option("--format <format>", "export: onnx, or mlflow for a folder that mlflow.pyfunc loads", "onnx")
  .option("--alias <alias>", "alias to move", "champion")
  .option("--reason <text>", "why, for the history", "asked for on the command line")
  .description("registered models: look at, compare, promote, approve, roll back, rename, delete, bring back")
  .action(lazy(() => import("./commands/models.ts")));
program
  .command("explore")
  .argument("<model>", "model, or model@version; the newest version unless said")
  .description("what was in the training rows: class balance, strongest relations to the target, suspicions of leaks")
  .action(lazy(() => import("./commands/explore.ts")));
program
  .command("serve")
  .argument(
    "<served>",
    "an endpoint of the project, or a model: models:/name@alias, models:/name/version, runs:/id/path or a folder",
  )
  .option("--host <address>", "address to listen on; anything but loopback needs a token", "127.0.0.1")
  .option("--port <number>", "port", "4101")
  .option("--workers <number>", "processes that answer", "1")
  .option("--token-file <path>", "file with the access token (or set ORRERY_TOKEN)")
  .option(
    "--tracking-uri <url>",
    "a model: the registry that has it (or set MLFLOW_TRACKING_URI); the server on --state unless given",
  )
  .option("--anonymous", "a model: whoever reaches the port may ask, as in a container of SageMaker")
  .description(
    "run an inference server alone, without the control plane: of an endpoint, or of a model that MLflow has logged as ONNX",
  )
  .action(lazy(() => import("./commands/serve.ts")));
program
  .command("data")
  .argument("[action]", "snapshots, show, diff, profile, validate or suggest", "snapshots")
  .argument("[name]", "a source; show, diff: a snapshot too; suggest: a file, folder, pattern, or an s3:// or https:// address")
  .argument("[other]", "diff: the later snapshot")
  .option("--target <column>", "profile: how every column goes with this one")
  .option("--html <file>", "profile: write it as a page with plots")
  .option("--name <name>", "suggest: what the source shall be called")
  .option("--postgres <variable>", "suggest: the environment variable that holds a database's address, or the address")
  .option("--query <select>", "suggest: the SELECT whose rows are looked at")
  .description(
    "sources: what was taken in and how it kept its contract, what is in it, what changed, and a contract for new files",
  )
  .action(lazy(() => import("./commands/data.ts")));
program
  .command("features")
  .argument("<action>", "list, materialize, statistics, versions, check-consistency, lineage or serve")
  .argument(
    "[view]",
    "statistics, versions: of which view; lineage: only of this source, source.column, view, feature, model or endpoint",
  )
  .option("--sample <number>", "check-consistency: entities of each view and predictions of each endpoint; 500 unless given")
  .option(
    "--since <when>",
    'check-consistency: predictions since a length of time ago ("7d", which it is unless given) or a timestamp',
  )
  .option("--host <address>", "serve: address to listen on; anything but loopback needs a token", "127.0.0.1")
  .option("--port <number>", "serve: port", "6566")
  .option("--workers <number>", "serve: processes that answer", "1")
  .option("--token-file <path>", "serve: file with the access token (or set ORRERY_TOKEN)")
  .description("the feature store: what there is, bring the online store up to now, or answer with features over HTTP")
  .action(lazy(() => import("./commands/features.ts")));
program
  .command("training-sets")
  .argument("[action]", "list, show or rebuild", "list")
  .argument("[id]", "show, rebuild: of the training set, which is its run's")
  .option("--to <file>", "rebuild: write it there too")
  .description("training sets that runs have kept: what they were made of, and the same again, byte for byte")
  .action(lazy(() => import("./commands/training-sets.ts")));
program
  .command("predict")
  .argument("<endpoint>")
  .argument("<json>", "one request or a list of them, as JSON or @file")
  .description("ask a running endpoint")
  .action(lazy(() => import("./commands/predict.ts")));
program
  .command("explain")
  .argument("<prediction>", "id of a prediction")
  .option("--counterfactuals", "instead: the smallest changes that would have got another decision")
  .description("why the model said so: SHAP values of one prediction")
  .action(lazy(() => import("./commands/explain.ts")));
program
  .command("monitor")
  .argument("[endpoint]")
  .description("drift, performance and alerts of an endpoint")
  .action(lazy(() => import("./commands/monitor.ts")));
program
  .command("users")
  .argument("[action]", "list, add, grant, revoke, disable or enable", "list")
  .argument("[name]")
  .option("--role <role>", "add, grant: viewer, data-engineer, data-scientist, software-engineer, operator or admin")
  .option("--in <project>", 'add, grant, revoke: the project; "*" is all of them', "*")
  .description("who may do what, and where")
  .action(lazy(() => import("./commands/users.ts")));
program
  .command("tokens")
  .argument("[action]", "list, create or revoke", "list")
  .argument("[id]", "revoke: the token's id")
  .option("--user <name>", "whose")
  .option("--label <text>", "create: what it is for", "")
  .option("--expires <when>", 'create: a length of time from now ("90d") or a timestamp; never unless given')
  .description("access tokens; a new one's secret is shown once")
  .action(lazy(() => import("./commands/tokens.ts")));
program
  .command("audit")
  .option("--since <when>", 'a length of time ago ("7d") or a timestamp')
  .option("--actor <name>", 'a user\'s name, or an actor as "token:machine"')
  .option("--limit <number>", "how many", "100")
  .description("who changed what, newest first")
  .action(lazy(() => import("./commands/audit.ts")));
program
  .command("import")
  .argument("<kind>", "mlflow")
  .argument(
    "<address>",
    "of a server, as in MLFLOW_TRACKING_URI (its credentials too are read from MLflow's variables); a folder or SQLite file",
  )
  .option("--artifacts-root <folder>", "where files lie that the server does not give out, or that are not beside the database")
  .option("--into <project>", "project that takes it in; the running server's own unless given")
  .option("--dry-run", "only count what there is")
  .description("take over experiments, runs, files and registered models; again takes what is new")
  .action(lazy(() => import("./commands/import.ts")));
program
  .command("backup")
  .argument("<folder>", "a folder that is not there yet")
  .option("--database <url>", "where the metadata is (or set ORRERY_DATABASE_URL)")
  .option("--artifacts <place>", "where the files are (or set ORRERY_ARTIFACTS_URL)")
  .description("a consistent copy of the state, while it is being written to")
  .action(lazy(() => import("./commands/backup.ts")));
program
  .command("restore")
  .argument("<folder>", "what backup made")
  .option("--database <url>", "a database without rows to restore into, whatever the backup came from")
  .option("--artifacts <place>", "where the files shall be")
  .description("make a state of a backup, in a state folder that is not there yet")
  .action(lazy(() => import("./commands/restore.ts")));
program
  .command("gc")
  .option("--deleted-before <when>", 'a length of time ago ("30d", "12h") or a timestamp', "30d")
  .option("--dry-run", "only show what would be removed")
  .option("--yes", "remove without asking")
  .description("remove for good what was deleted before a time, and stored bytes that nothing names any more")
  .action(lazy(() => import("./commands/gc.ts")));
program
  .command("erase")
  .argument("[entity]", "an entity of the project; without one, the erasures there were are listed")
  .option(
    "--key <name=value>",
    "key of whom to erase; a name that comes again begins another entity",
    (key: string, keys: readonly string[]) => [...keys, key],
    [] as readonly string[],
  )
  .option("--dry-run", "only show what would be erased, and where")
  .option("--yes", "erase without asking")
  .option("--no-block", "take rows of the same key in again where a source delivers them")
  .description(
    "erase everything of a person, or of any entity: snapshots, training sets, online values, pushed rows, predictions",
  )
  .action(lazy(() => import("./commands/erase.ts")));
program
  .command("doctor")
  .description("look at the machine, the project and its state folder")
  .action(lazy(() => import("./commands/doctor.ts")));

/** One line and a hint; never a stack trace. */
export function report(error: unknown): number {
  const shown = error instanceof ApiError ? OrreryError.fromJSON(error.body) : toOrreryError(error);
  console.error(`orrery: ${shown.message} [${shown.code}]`);
  if (shown.hint !== "") console.error(`  ${shown.hint}`);
  if (process.env.ORRERY_DEBUG !== undefined && error instanceof Error) console.error(error.stack, error.cause ?? "");
  return ERROR_KINDS[shown.kind].exitCode;
}

// Threads and workers do not keep a process alive by themselves; a command that waits for them must.
const working = setInterval(() => undefined, 2 ** 30);
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
} finally {
  clearInterval(working);
}
