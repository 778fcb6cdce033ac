/** A model that was trained elsewhere and saved: LightGBM's text, XGBoost's JSON or UBJSON, or ONNX. */
export interface ModelFileCandidate {
  readonly kind: "model-file";
  /** Unique among the model's candidates. */
  readonly name: string;
  /** Relative to the project file. */
  readonly path: string;
  /** Features of the model, by id or name, in the order of the file's columns; null: the file's own names. */
  readonly columns: readonly string[] | null;
}

export interface ModelFileOptions {
  /** For files that do not name their columns (ONNX), or by other names. */
  readonly columns?: readonly string[];
  /** The file's own name, without its ending, when absent. */
  readonly name?: string;
}

/**
 * `modelFile("churn.txt")`: judged on the same rows as the other candidates, registered and served like them, never trained. Its columns are
 * the model's features as they are, without `prepare`, and numbers.
 */
export function modelFile(path: string, { columns, name }: ModelFileOptions = {}): ModelFileCandidate {
  const [, stem] = /^(?:.*\/)?([^/]+?)(?:\.[^./]*)?$/.exec(path) ?? [];
  if (stem === undefined) throw new TypeError(`modelFile("${path}") is no path of a file`);
  return { kind: "model-file", name: name ?? stem, path, columns: columns ?? null };
}
