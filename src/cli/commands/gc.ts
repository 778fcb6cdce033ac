import { createInterface } from "node:readline/promises";
import type { Client } from "../../client/index.ts";
import { type ConnectionOptions, connect } from "../connection.ts";
import { cliErrors } from "../errors.ts";
import { show, table } from "../output.ts";
import { timeAgo } from "../time-option.ts";

interface GcOptions extends ConnectionOptions {
  json?: boolean;
  deletedBefore: string;
  dryRun?: boolean;
  yes?: boolean;
}

type Counts = Awaited<ReturnType<Client["garbage"]["collect"]>>;

/** @throws CLI_CONFIRMATION_MISSING, TIME_…_INVALID and what the API answers */
export default async function gc(options: GcOptions): Promise<void> {
  const deletedBefore = timeAgo(options.deletedBefore);
  const { client, close } = await connect(options);
  try {
    const planned = await client.garbage.collect({ deletedBefore, dryRun: true });
    const nothing = Object.values(planned).every((count) => count === 0);
    if (options.dryRun || nothing) {
      const title = nothing
        ? `Nothing was deleted before ${deletedBefore}`
        : `Would be removed for good (deleted before ${deletedBefore}):`;
      return show(options.json, { deletedBefore, dryRun: true, ...planned }, () =>
        nothing ? title : `${title}\n\n${countsTable(planned)}`,
      );
    }
    if (!options.yes && !(await agreed(planned, deletedBefore))) return console.error("Nothing was removed");
    const removed = await client.garbage.collect({ deletedBefore, dryRun: false });
    show(options.json, { deletedBefore, dryRun: false, ...removed }, () => `Removed for good:\n\n${countsTable(removed)}`);
  } finally {
    await close();
  }
}

const countsTable = ({ experiments, runs, loggedModels, registeredModels, modelVersions, files, artifacts, bytes }: Counts) =>
  table([
    { what: "experiments", count: experiments },
    { what: "runs", count: runs },
    { what: "logged models", count: loggedModels },
    { what: "registered models", count: registeredModels },
    { what: "model versions", count: modelVersions },
    { what: "names of files", count: files },
    { what: "stored artifacts", count: artifacts },
    { what: "bytes", count: bytes },
  ]);

/** @throws CLI_CONFIRMATION_MISSING where nobody can be asked */
async function agreed(planned: Counts, deletedBefore: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw cliErrors.CLI_CONFIRMATION_MISSING("What gc removes cannot be brought back, so it asks first");
  const questions = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await questions.question(
      `Deleted before ${deletedBefore}:\n\n${countsTable(planned)}\n\nRemove all of this for good? [y/N] `,
    );
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    questions.close();
  }
}
