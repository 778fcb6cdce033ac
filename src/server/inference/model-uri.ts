import { resolve } from "node:path";
import { servingErrors } from "../../core/serving/index.ts";

/** Which model is to be served. */
export type ModelUri =
  | { readonly kind: "alias"; readonly name: string; readonly alias: string }
  | { readonly kind: "version"; readonly name: string; readonly version: string }
  /** The newest version of a stage, of all for "latest". */
  | { readonly kind: "stage"; readonly name: string; readonly stage: string }
  | { readonly kind: "logged"; readonly id: string }
  | { readonly kind: "run"; readonly run: string; readonly path: string }
  | { readonly kind: "folder"; readonly path: string };

/** Whether a name of `orrery serve` is a model's and no endpoint's. */
export const isModelUri = (text: string): boolean => /^(?:models|runs):\/|^file:|[/\\]|^\.{1,2}$/.test(text);

/**
 * MLflow's addresses of models, and paths.
 * @throws SERVING_MODEL_URI_INVALID
 */
export function parseModelUri(text: string): ModelUri {
  const invalid = () => servingErrors.SERVING_MODEL_URI_INVALID(`"${text.slice(0, 200)}" is no address of a model`);
  const [, scheme, rest = ""] = /^([a-z][a-z0-9+.-]+):\/*(.*)$/i.exec(text) ?? [];
  if (scheme === undefined) return { kind: "folder", path: resolve(text) };
  if (scheme === "file") return { kind: "folder", path: resolve(`/${rest}`) };
  if (scheme === "runs") {
    const [run = "", ...path] = rest.split("/");
    if (run === "" || path.join("") === "") throw invalid();
    return { kind: "run", run, path: path.join("/") };
  }
  if (scheme !== "models" || rest === "") throw invalid();
  const parts = rest.split("/");
  const [name = "", suffix] = parts;
  if (parts.length > 2) throw invalid();
  if (suffix === undefined) {
    const at = name.lastIndexOf("@");
    if (at > 0 && at < name.length - 1) return { kind: "alias", name: name.slice(0, at), alias: name.slice(at + 1) };
    if (/^m-[\w-]+$/.test(name)) return { kind: "logged", id: name };
    throw invalid();
  }
  if (name === "" || suffix === "") throw invalid();
  return /^\d+$/.test(suffix) ? { kind: "version", name, version: suffix } : { kind: "stage", name, stage: suffix };
}

/** Whether it may be another model tomorrow. */
export const moves = ({ kind }: ModelUri): boolean => kind === "alias" || kind === "stage";
