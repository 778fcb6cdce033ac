import { readFileSync } from "node:fs";
import { join } from "node:path";
import { OrreryError } from "../../core/errors.ts";
import { type ConnectionOptions, stateDirectory } from "../connection.ts";
import { cliErrors } from "../errors.ts";

function readRequests(text: string): unknown[] {
  try {
    const value: unknown = JSON.parse(text.startsWith("@") ? readFileSync(text.slice(1), "utf8") : text);
    return Array.isArray(value) ? value : [value];
  } catch (cause) {
    throw cliErrors.CLI_JSON_INVALID(`The requests are not JSON: ${(cause as Error).message}`, { cause });
  }
}

/** Address of an endpoint's inference server, as it wrote it down when it started. */
export function inferenceUrl(options: ConnectionOptions, endpoint: string): string {
  try {
    const file = readFileSync(join(stateDirectory(options), "run", `inference-${endpoint}.json`), "utf8");
    return (JSON.parse(file) as { listening: string }).listening;
  } catch (cause) {
    throw cliErrors.CLI_ENDPOINT_NOT_RUNNING(`No inference server for "${endpoint}" has been started on this state folder`, {
      cause,
    });
  }
}

export default async function predict(options: ConnectionOptions, endpoint = "", json = ""): Promise<void> {
  const instances = readRequests(json);
  const url = inferenceUrl(options, endpoint);
  const token = process.env.ORRERY_TOKEN;
  const answer = await fetch(`${url}/v1/endpoints/${encodeURIComponent(endpoint)}/predict`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ instances }),
  }).catch((cause: unknown) => {
    throw cliErrors.CLI_ENDPOINT_NOT_RUNNING(`Nothing answers at ${url}`, { cause });
  });
  const body = (await answer.json()) as ReturnType<OrreryError["toJSON"]>;
  if (!answer.ok) throw OrreryError.fromJSON(body);
  console.log(JSON.stringify(body, null, 2));
}
