/** A program that logs, and ends as its first argument says; prints the ids of its runs. */
import { currentRun, logMetric, startRun } from "../../../src/client/tracking/index.ts";

const [, , ending = "", count = "100"] = process.argv;
const log = (many: number) => {
  for (let step = 0; step < many; step++) logMetric("m", step, { step });
};
const says = (text: string | null | undefined) => process.stdout.write(`${text}\n`);
const forever = () => new Promise(() => setInterval(() => undefined, 1_000));

switch (ending) {
  case "runs to its end": {
    const run = await startRun({ experiment: "ends", name: ending });
    says(run.id);
    for (let step = 0; step < Number(count); step++) run.logMetric("m", step, { step });
    void run.logText("last words", "words.txt");
    break;
  }
  case "exits at once":
    await startRun({ experiment: "ends", name: ending }, (run) => {
      says(run.id);
      log(Number(count));
      void run.logArtifact(Buffer.from("last words"), "words.txt");
      process.exit(3);
    });
    break;
  case "throws":
    await startRun({ experiment: "ends", name: ending }, (run) => {
      says(run.id);
      log(Number(count));
      setTimeout(() => {
        throw new Error("nobody catches this");
      }, 5);
      return forever();
    });
    break;
  case "is told to stop":
    await startRun({ experiment: "ends", name: ending }, async () => {
      log(Number(count));
      says(currentRun()?.id);
      await forever();
    });
    break;
}
