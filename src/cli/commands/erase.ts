import { createInterface } from "node:readline/promises";
import type { Client } from "../../client/index.ts";
import { type ConnectionOptions, connect } from "../connection.ts";
import { cliErrors } from "../errors.ts";
import { show, table } from "../output.ts";

interface EraseOptions extends ConnectionOptions {
  json?: boolean;
  key: readonly string[];
  dryRun?: boolean;
  yes?: boolean;
  block: boolean;
}

type Erasure = Awaited<ReturnType<Client["erasures"]["create"]>>;

const OUT_OF_REACH =
  "Out of reach: backups, files that sources are read from, what models learned, and copies that were made elsewhere (docs/guides/personal-data.md).";

/**
 * `orrery erase ENTITY --key name=value …`: a name that comes again begins another entity. Without an entity, the erasures there were.
 * @throws CLI_ARGUMENT_MISSING, CLI_CONFIRMATION_MISSING and what the API answers
 */
export default async function erase(options: EraseOptions, entity?: string): Promise<void> {
  const { client, close } = await connect(options);
  try {
    if (entity === undefined) {
      const { items } = await client.erasures.list();
      return show(options.json, items, () => table(items.map(inShort)));
    }
    const request = { entity, keys: entitiesOf(options.key), block: options.block };
    const planned = await client.erasures.create({ ...request, dryRun: true });
    if (options.dryRun) return show(options.json, planned, () => `Would be erased:\n\n${placesText(planned)}\n\n${OUT_OF_REACH}`);
    if (!options.yes && !(await agreed(planned))) return console.error("Nothing was erased");
    const done = await client.erasures.create({ ...request, dryRun: false });
    show(options.json, done, () => `Erased (${done.id}):\n\n${placesText(done)}\n\n${OUT_OF_REACH}`);
  } finally {
    await close();
  }
}

/** @throws CLI_ARGUMENT_MISSING */
function entitiesOf(keys: readonly string[]): Record<string, string>[] {
  const entities: Record<string, string>[] = [];
  for (const key of keys) {
    const place = key.indexOf("=");
    if (place <= 0)
      throw cliErrors.CLI_ARGUMENT_MISSING(`"${key}" is no key with its value`, { hint: "Write --key customer_id=C123." });
    const name = key.slice(0, place);
    const last = entities.at(-1);
    const current = last === undefined || Object.hasOwn(last, name) ? {} : last;
    if (current !== last) entities.push(current);
    current[name] = key.slice(place + 1);
  }
  if (entities.length > 0) return entities;
  throw cliErrors.CLI_ARGUMENT_MISSING("erase needs the key of whom to erase", { hint: "Write --key customer_id=C123." });
}

const inShort = ({ id, entity, state, actor, startedAt, places, blocks }: Erasure) => ({
  erasure: id,
  entity,
  state,
  when: startedAt,
  who: actor,
  rows: places.reduce((sum, { what, rows }) => sum + (what.startsWith("left") ? 0 : rows), 0),
  "taken in again": blocks ? "no" : "yes",
});

const placesText = ({ places }: Erasure) => table(places.map(({ what, where, rows }) => ({ what, where, rows })));

/** @throws CLI_CONFIRMATION_MISSING where nobody can be asked */
async function agreed(planned: Erasure): Promise<boolean> {
  if (!process.stdin.isTTY) throw cliErrors.CLI_CONFIRMATION_MISSING("What is erased cannot be brought back, so it asks first");
  const questions = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await questions.question(`${placesText(planned)}\n\n${OUT_OF_REACH}\nErase all of this for good? [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    questions.close();
  }
}
