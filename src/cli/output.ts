/** A table in plain text: columns as wide as their widest cell, numbers to the right. */
export function table(rows: readonly Readonly<Record<string, string | number | null>>[]): string {
  const [first] = rows;
  if (first === undefined) return "(nothing yet)";
  const columns = Object.keys(first);
  const cell = (value: string | number | null | undefined) => (value === null || value === undefined ? "–" : String(value));
  const widths = columns.map((column) => Math.max(column.length, ...rows.map((row) => cell(row[column]).length)));
  const line = (cells: readonly string[], right: readonly boolean[]) =>
    cells
      .map((text, i) => (right[i] ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0)))
      .join("  ")
      .trimEnd();
  const numeric = columns.map((column) => rows.every((row) => typeof row[column] === "number" || row[column] === null));
  return [
    line(columns, numeric),
    ...rows.map((row) =>
      line(
        columns.map((column) => cell(row[column])),
        numeric,
      ),
    ),
  ].join("\n");
}

export const interval = ({ value, low, high }: { value: number; low: number; high: number }, digits = 3): string =>
  `${value.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;

type Metrics = Readonly<Record<string, { value: number; low: number; high: number } | undefined>>;

/** Metrics that are no score: how long it took, and the course of the loss. */
const NO_SCORE = /_seconds$|_by_tree$|^trainer_/;

/** The figure that a model of any task is first asked for, "rmse 12.300 [11.900, 12.800]"; null where there is none. */
export function headline(metrics: Metrics): string | null {
  const scores = Object.keys(metrics).filter((name) => !NO_SCORE.test(name));
  for (const name of ["roc_auc", "log_loss", "rmse", ...scores]) {
    const estimate = metrics[name];
    if (estimate !== undefined)
      return `${name} ${estimate.low === estimate.high ? estimate.value.toFixed(3) : interval(estimate)}`;
  }
  return null;
}

/** JSON for machines, a table for people. */
export function show(json: boolean | undefined, value: unknown, text: () => string): void {
  console.log(json ? JSON.stringify(value, null, 2) : text());
}
