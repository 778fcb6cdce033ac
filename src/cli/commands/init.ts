import { copyFileSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { makeData } from "../../../examples/template/make-data.ts";
import { cliErrors } from "../errors.ts";

const TEMPLATE = join(import.meta.dirname, "../../../examples/template/orrery.config.ts");
const DAY_MS = 86_400_000;

export default async function init(_options: object, folder = ""): Promise<void> {
  const target = resolve(folder);
  if (existsSync(target) && readdirSync(target).length > 0) throw cliErrors.CLI_FOLDER_NOT_EMPTY(`${target} is not empty`);
  mkdirSync(target, { recursive: true });
  copyFileSync(TEMPLATE, join(target, "orrery.config.ts"));
  makeData(join(target, "data"), Math.floor(Date.now() / DAY_MS) * DAY_MS);
  console.log(
    `Wrote a project with made-up customers into ${target}. Next:\n  orrery -p ${folder} check\n  orrery -p ${folder} train churn\n  orrery -p ${folder} up`,
  );
}
