const PINNED = /^[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?\s*(?:\[[^\]]*\])?\s*={2,3}\s*[^\s*;,=<>!~]+$/;
/** Where and how to look, which says nothing about what: passed on as it stands. */
const OPTIONS =
  /^--(?:index-url|extra-index-url|find-links|no-index|only-binary|no-binary|prefer-binary|require-hashes|trusted-host)\b/;

/** A line of a requirements file (from 1 on) that a trainer does not take, and why: ends the sentence "numpy>=2 …". */
export interface RequirementProblem {
  readonly line: number;
  readonly content: string;
  readonly problem: string;
}

/** The first line of a requirements file that does not pin a package to one version; null where all do. */
export function unpinnedRequirement(text: string): RequirementProblem | null {
  for (const { line, content } of logicalLines(text)) {
    const problem = objection(content);
    if (problem !== null) return { line, content, problem };
  }
  return null;
}

/** Lines that say something: comments cut, those that end in a backslash joined. `line` counts from 1. */
function logicalLines(text: string): { line: number; content: string }[] {
  const found: { line: number; content: string }[] = [];
  let continued = false;
  text.split(/\r?\n/).forEach((raw, index) => {
    const uncommented = raw.replace(/(^|\s)#.*$/, "");
    const part = uncommented.replace(/\\$/, "").trim();
    const last = found.at(-1);
    if (continued && last !== undefined) last.content = `${last.content} ${part}`.trim();
    else found.push({ line: index + 1, content: part });
    continued = uncommented.endsWith("\\");
  });
  return found.filter(({ content }) => content !== "");
}

function objection(content: string): string | null {
  if (OPTIONS.test(content)) return null;
  if (/^(-r|--requirement|-c|--constraint)\b/.test(content)) return "points to another file: put all pins into one";
  if (content.startsWith("-")) return "is an option that does not belong here";
  const [requirement = ""] = content.split(/\s--hash=|;/, 1);
  return PINNED.test(requirement.trim()) ? null : "is not pinned to one version (==)";
}
