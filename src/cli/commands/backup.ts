import { systemClock } from "../../core/ports/index.ts";
import { makeBackup } from "../../platform/backup/make-backup.ts";
import { statePaths } from "../../platform/state-folder.ts";
import { storeSettings, useStores } from "../../platform/stores.ts";
import { VERSION } from "../../server/version.ts";
import { type ConnectionOptions, stateDirectory } from "../connection.ts";
import { show } from "../output.ts";

interface BackupOptions extends ConnectionOptions {
  json?: boolean;
  database?: string;
  artifacts?: string;
}

/** Reads beside the process that owns the state, where one runs. */
export default async function backup(options: BackupOptions, folder: string): Promise<void> {
  useStores(options);
  const manifest = await makeBackup({
    paths: statePaths(stateDirectory(options), { workspace: "default", project: "default" }),
    stores: storeSettings(),
    target: folder,
    clock: systemClock,
    version: VERSION,
  });
  const { artifacts, missing, madeAt } = manifest;
  show(options.json, { folder, madeAt, artifacts, missing }, () =>
    [
      `${folder} holds the state of ${madeAt}: metadata and ${artifacts.count} artifacts (${artifacts.bytes} bytes)`,
      ...(missing.length === 0
        ? []
        : [`${missing.length} artifacts were missing or damaged before; ${folder}/backup.json names them`]),
    ].join("\n"),
  );
}
