import type { Check } from "../../../scripts/conformance.ts";
import { withoutPythonNumbers } from "../../../src/server/inference/python-json.ts";

export interface ModelCase {
  readonly model: string;
  readonly run: string;
  readonly id: string;
  readonly files: readonly string[];
  readonly requests: readonly AskedRequest[];
}

interface AskedRequest {
  readonly request: string;
  readonly type: string;
  readonly send: string;
  /** What MLflow's scoring server says. */
  readonly status: number;
  readonly body: string;
}

/** Requests that MLflow answers and we refuse, with the reason. */
const REFUSED_HERE: ReadonlyMap<string, string> = new Map([["a row too short", "MLflow fills the row up with missing values"]]);

/**
 * What MLflow refuses and has an answer here. Data frames for a model whose outputs differ in length, of which pandas makes no frame, and numbers for
 * a graph of float32 that MLflow hands over as another type; columns by name where the signature has no names.
 */
const ANSWERED_HERE: ReadonlySet<string> = new Set([
  ...["split", "split without an index", "records", "NaN as Python writes it", "null", "records that lack a value"],
  ...[
    "CSV",
    "CSV with an index",
    "CSV with gaps",
    "params that nobody knows",
    "whole numbers",
    "many rows",
    "no rows",
    "inputs by name",
  ],
]);

/** Of a number's size: float32 sums are added in another order. */
const TOLERANCE = 2e-6;

/** Sends every request to our server, and holds the answers against MLflow's. */
export async function compareAnswers(check: Check, url: string, address: string, { requests }: ModelCase): Promise<void> {
  const found = { same: 0, refused: 0, more: [] as string[], wrong: [] as string[], largest: 0 };
  for (const asked of requests) {
    const answer = await fetch(`${url}/invocations`, {
      method: "POST",
      headers: { "content-type": asked.type },
      body: asked.send,
    });
    const text = await answer.text();
    const isRefusedHere = REFUSED_HERE.has(asked.request);
    const wrong = `${asked.request}: ${answer.status} ${text.slice(0, 300)} for MLflow's ${asked.status} ${asked.body.slice(0, 300)}`;
    if (asked.status === 200 && !isRefusedHere) {
      // NaN, which JSON has not, is null here.
      const difference =
        answer.status === 200 ? differenceOf(JSON.parse(text), JSON.parse(withoutPythonNumbers(asked.body))) : Infinity;
      found.largest = Math.max(found.largest, difference);
      if (difference <= TOLERANCE) found.same++;
      else found.wrong.push(wrong);
    } else if (answer.status === 200 && ANSWERED_HERE.has(asked.request)) found.more.push(asked.request);
    else if (isRefusal(answer.status, text, asked.status)) found.refused++;
    else found.wrong.push(wrong);
  }
  await check(`${address} answers as MLflow's scoring server does`, () => {
    const { same, refused, more, wrong, largest } = found;
    if (wrong.length > 0) throw new Error(wrong.join("\n"));
    if (same + more.length === 0 || refused === 0) throw new Error("nothing was compared");
    const beyond = more.length === 0 ? "" : `, and ${more.length} that MLflow refuses have an answer (${more.join("; ")})`;
    return `${same} answers differ by at most ${largest.toExponential(1)}, ${refused} are refused${beyond}`;
  });
}

/** 415 in words, everything else a 400 with MLflow's fields. */
function isRefusal(status: number, text: string, wanted: number): boolean {
  if (wanted === 415) return status === 415;
  if (status !== 400) return false;
  const { error_code, message } = JSON.parse(text);
  return error_code === "BAD_REQUEST" && typeof message === "string" && message !== "";
}

/** The largest between two numbers at one place, in parts of their size; infinite where anything else differs. */
export function differenceOf(ours: unknown, theirs: unknown): number {
  if (typeof ours === "number" && typeof theirs === "number") return Math.abs(ours - theirs) / Math.max(1, Math.abs(theirs));
  if (typeof ours !== "object" || typeof theirs !== "object" || ours === null || theirs === null)
    return ours === theirs ? 0 : Infinity;
  if (Array.isArray(ours) !== Array.isArray(theirs)) return Infinity;
  const keys = Object.keys(theirs);
  if (Object.keys(ours).length !== keys.length) return Infinity;
  return keys.reduce((most, key) => {
    if (!Object.hasOwn(ours, key)) return Infinity;
    return Math.max(most, differenceOf(Reflect.get(ours, key), Reflect.get(theirs, key)));
  }, 0);
}
