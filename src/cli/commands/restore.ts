import { systemClock } from "../../core/ports/index.ts";
import { restoreBackup } from "../../platform/backup/restore-backup.ts";
import { storeSettings, useStores } from "../../platform/stores.ts";
import { type ConnectionOptions, stateDirectory } from "../connection.ts";
import { show } from "../output.ts";

interface RestoreOptions extends ConnectionOptions {
  json?: boolean;
  database?: string;
  artifacts?: string;
}

export default async function restore(options: RestoreOptions, folder: string): Promise<void> {
  useStores(options);
  const state = stateDirectory(options);
  const { artifacts, madeAt } = await restoreBackup({
    folder,
    stateDirectory: state,
    stores: storeSettings(),
    clock: systemClock,
  });
  show(
    options.json,
    { state, madeAt, artifacts },
    () => `${state} has the state of ${madeAt} again, ${artifacts.count} artifacts with it`,
  );
}
