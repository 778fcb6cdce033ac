import { fileURLToPath } from "node:url";
import type { Scope } from "../core/scope.ts";

const PRIMARY = fileURLToPath(new URL("./features/primary.ts", import.meta.url));

/** What the feature server writes itself down as in the folder of what runs. */
export const FEATURE_SERVER = "feature-server";

export interface FeatureProcessOptions {
  readonly stateDirectory: string;
  readonly scope: Scope;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly workers: number;
  readonly tokenFile?: string;
}

/** Arguments for node to run a project's feature server. */
export function featureServerArguments(options: FeatureProcessOptions): string[] {
  const { host, port, workers, stateDirectory, scope, tokenFile } = options;
  return [
    PRIMARY,
    ...["--host", host, "--port", String(port), "--workers", String(workers), "--state-dir", stateDirectory],
    ...["--workspace", scope.workspace, "--project", scope.project],
    ...(tokenFile === undefined ? [] : ["--token-file", tokenFile]),
  ];
}
