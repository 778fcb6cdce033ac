import { expressionColumns, labelTypeProblem } from "../data/index.ts";
import type { SourceDefinition, TargetType } from "../definitions/index.ts";
import { OrreryError } from "../errors.ts";
import type { TableEngine } from "../ports/index.ts";
import { FINDINGS } from "./errors.ts";

export interface ProjectFinding {
  /** Where in the project: "model late-arrival", "source flights". */
  readonly where: string;
  readonly code: keyof typeof FINDINGS;
  readonly message: string;
  readonly hint: string;
}

/** Collects what is found; a finding's hint is its code's own unless another is given. */
export interface Findings {
  readonly list: readonly ProjectFinding[];
  add(where: string, code: ProjectFinding["code"], message: string, hint?: string): void;
}

export function collectFindings(): Findings {
  const list: ProjectFinding[] = [];
  return {
    list,
    add: (where, code, message, hint = FINDINGS[code]) => {
      // Two models with one label say the same of it twice.
      if (!list.some((each) => each.where === where && each.message === message)) list.push({ where, code, message, hint });
    },
  };
}

/** Reports what is wrong with an expression over a source, or that its type is not that of a target (binary: a condition). */
export async function checkExpression(
  engine: TableEngine,
  findings: Findings,
  where: string,
  source: SourceDefinition,
  expression: string,
  use: "value" | TargetType,
): Promise<void> {
  try {
    const { sqlType } = await expressionColumns(engine, source, expression);
    const problem = use === "value" ? null : labelTypeProblem(sqlType, use);
    if (problem !== null) findings.add(where, "PROJECT_EXPRESSION_INVALID", `"${expression}" is ${problem}`);
  } catch (error) {
    if (!(error instanceof OrreryError)) throw error;
    findings.add(where, "PROJECT_EXPRESSION_INVALID", error.message);
  }
}
