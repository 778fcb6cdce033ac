/** Whether objects and lists are nested deeper than `most`; looks at the text alone. */
export function isNestedDeeper(text: string, most: number): boolean {
  let level = 0;
  for (let at = 0; at >= 0 && at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') {
      at = endOfString(text, at);
      if (at < 0) return false;
    } else if (character === "{" || character === "[") {
      level += 1;
      if (level > most) return true;
    } else if (character === "}" || character === "]") level -= 1;
  }
  return false;
}

/** Python's names for numbers that JSON has not, and what JSON.parse reads as the same; NaN is missing. */
const SPECIAL = [
  ["-Infinity", "-1e999"],
  ["Infinity", "1e999"],
  ["NaN", "null"],
] as const;

/** Python's JSON as JSON. Only what stands outside of strings is touched. */
export function withoutPythonNumbers(text: string): string {
  let plain = "";
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') {
      const end = endOfString(text, at);
      if (end < 0) break;
      at = end;
    } else if (character === "N" || character === "I" || character === "-") {
      const special = SPECIAL.find(([name]) => text.startsWith(name, at));
      if (special === undefined) continue;
      plain += text.slice(from, at) + special[1];
      from = at + special[0].length;
      at = from - 1;
    }
  }
  return plain + text.slice(from);
}

/** Where the string that begins at `start` ends; -1 where it does not. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return -1;
}
