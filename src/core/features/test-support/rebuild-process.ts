/** A process that knows no project and builds a training set again: `node rebuild-process.ts OPTIONS-AS-JSON`. Prints its hash. */
import { FilesystemArtifactStore } from "../../../adapters/artifacts/filesystem.ts";
import { openDuckDb } from "../../../adapters/tables/duckdb.ts";
import { rebuildTrainingSet } from "../rebuild-training-set.ts";
import { readTrainingSetRecord } from "../training-set-record.ts";

const { artifacts, record, snapshots, threads, tmpDirectory } = JSON.parse(process.argv[2] ?? "{}");
const engine = await openDuckDb({ threads });
const deps = { engine, artifacts: new FilesystemArtifactStore(artifacts), tmpDirectory };
const rebuilt = await rebuildTrainingSet(deps, readTrainingSetRecord(Buffer.from(record)), new Map(snapshots));
console.log(rebuilt.file.sha256);
engine.close();
