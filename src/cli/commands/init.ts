import { cpSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { cliErrors } from "../errors.ts";

const TEMPLATE = fileURLToPath(new URL("../../../examples/template", import.meta.url));

export default async function init(_options: object, folder = ""): Promise<void> {
  const target = resolve(folder);
  if (existsSync(target) && readdirSync(target).length > 0) throw cliErrors.CLI_FOLDER_NOT_EMPTY(`${target} is not empty`);
  mkdirSync(target, { recursive: true });
  cpSync(TEMPLATE, target, { recursive: true });
  console.log(`Wrote a project into ${target}. Next:\n  cd ${folder}\n  orrery check\n  orrery train churn\n  orrery up`);
}
