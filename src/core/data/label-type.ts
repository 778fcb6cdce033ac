import type { TargetType } from "../definitions/index.ts";

const CONDITION = /^BOOLEAN$/i;
const NUMBER = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\b.*)$/i;
const TEXT = /^(VARCHAR|ENUM\b.*)$/i;

const LABEL_TYPES: Readonly<Record<TargetType, { readonly types: readonly RegExp[]; readonly wanted: string }>> = {
  binary: { types: [CONDITION], wanted: "condition" },
  multiclass: { types: [TEXT, NUMBER], wanted: "class (text or a number)" },
  regression: { types: [NUMBER], wanted: "number" },
};

/** Why a SQL type (DuckDB's name of it) cannot be a label's, "VARCHAR and no number"; null where it can. */
export function labelTypeProblem(sqlType: string, target: TargetType): string | null {
  const { types, wanted } = LABEL_TYPES[target];
  return types.some((type) => type.test(sqlType)) ? null : `${sqlType} and no ${wanted}`;
}

/** SQL of a label's value: a BOOLEAN, a VARCHAR, or a DOUBLE, where a label that is NaN is not known. */
export function labelValue(expression: string, sqlType: string, target: TargetType): string {
  const value = `(${expression}\n)`;
  if (target === "binary") return value;
  return TEXT.test(sqlType) ? `CAST(${value} AS VARCHAR)` : `nullif(CAST(${value} AS DOUBLE), 'nan'::DOUBLE)`;
}
