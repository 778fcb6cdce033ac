import type { FastifyInstance } from "fastify";
import { serverErrors } from "./errors.ts";

/** Deeper JSON is nobody's data; what walks over it (validation, serialisation) does so by recursion. */
export const MOST_LEVELS = 64;

const QUOTE = 34;
const BACKSLASH = 92;

/** Whether objects and lists are nested deeper than `most`; looks at the text alone, and stops where it knows. */
export function isNestedDeeper(text: string, most = MOST_LEVELS): boolean {
  let level = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
      if (at < 0) return false;
    } else if (code === 123 || code === 91) {
      level += 1;
      if (level > most) return true;
    } else if (code === 125 || code === 93) level -= 1;
  }
  return false;
}

/** Where the string that begins at `start` ends; -1 where it does not, which the parser will say. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return -1;
}

/**
 * JSON bodies of every route: not too deep, and without keys that reach for a prototype. Nothing else is taken, text neither: a page of another
 * site can send that without asking.
 */
export function addJsonParser(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>("application/json", { parseAs: "string" }, (request, body, done) => {
    if (isNestedDeeper(body)) done(serverErrors.SERVER_JSON_TOO_DEEP(`The body is nested deeper than ${MOST_LEVELS} levels`));
    else parse(request, body, done);
  });
}
