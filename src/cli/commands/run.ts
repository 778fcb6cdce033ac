import type { Client } from "../../client/index.ts";
import type { PipelineRun } from "../../contract/index.ts";
import { type ConnectionOptions, connect } from "../connection.ts";
import { cliErrors } from "../errors.ts";

const POLL_MS = 150;

/** Follows a run to its end, a line for each step that changes. */
export async function follow(client: Client, runId: string, onLine: (line: string) => void): Promise<PipelineRun> {
  const seen = new Map<string, string>();
  for (;;) {
    const run = await client.pipelines.run({ id: runId });
    for (const step of run.steps) {
      if (seen.get(step.step) === step.status) continue;
      seen.set(step.step, step.status);
      if (step.status === "pending") continue;
      const seconds =
        step.startedAt !== null && step.endedAt !== null ? (Date.parse(step.endedAt) - Date.parse(step.startedAt)) / 1_000 : null;
      const took = seconds === null ? "" : ` ${seconds.toFixed(1)} s`;
      onLine(`  ${shownStatus(step).padEnd(9)} ${step.step}${took}${whyFailed(step)}`);
    }
    if (run.status !== "queued" && run.status !== "running") return run;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

type StepRun = PipelineRun["steps"][number];

/** A candidate that failed is shown so, although its step has done its work: the others go on without it. */
const shownStatus = ({ status, candidateFailure }: StepRun): string => (candidateFailure === null ? status : "failed");

function whyFailed({ error, candidateFailure }: StepRun): string {
  if (candidateFailure !== null) return `: ${candidateFailure.message} [${candidateFailure.code}]; the other candidates go on`;
  return error === null ? "" : `: ${error.message} [${error.code}]`;
}

/** What failed although the run as a whole did not. */
export const failedCandidates = ({ steps }: PipelineRun): readonly string[] =>
  steps.filter(({ candidateFailure }) => candidateFailure !== null).map(({ step }) => step.replace(/^train:/, ""));

/** @throws CLI_PIPELINE_FAILED with the first step's error */
export function assertSucceeded(run: PipelineRun): void {
  if (run.status === "succeeded") return;
  const failed = run.steps.find(({ status }) => status === "failed");
  const why =
    failed?.error === undefined || failed.error === null
      ? run.status
      : `${failed.step}: ${failed.error.message} [${failed.error.code}]`;
  throw cliErrors.CLI_PIPELINE_FAILED(
    `The ${run.pipeline} run ${run.id} did not succeed: ${why}`,
    failed?.error ? { hint: failed.error.hint } : {},
  );
}

export default async function run(options: ConnectionOptions & { json?: boolean; reason: string }, pipeline = ""): Promise<void> {
  const { client, close } = await connect(options);
  try {
    const { runId } = await client.pipelines.start({ name: pipeline, reason: options.reason });
    if (!options.json) console.log(`${pipeline} ${runId}`);
    const finished = await follow(client, runId, (line) => options.json || console.log(line));
    if (options.json) console.log(JSON.stringify(finished, null, 2));
    const lost = failedCandidates(finished);
    if (!options.json && lost.length > 0) console.log(`Not trained: ${lost.join(", ")}`);
    assertSucceeded(finished);
  } finally {
    await close();
  }
}
