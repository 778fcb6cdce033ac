const texts = new WeakMap<object, string>();

/** Remembers the text that a body was read from, as long as the body is there. */
export function rememberText(body: unknown, text: string): void {
  if (typeof body === "object" && body !== null) texts.set(body, text);
}

/**
 * The number in a body's own field as the text has it: "9.0", where the value is 9. Reads the text once more, so only for a message. Undefined where
 * the body's text is not known, or the field holds no number.
 */
export function writtenNumber(body: object, name: string): string | undefined {
  const text = texts.get(body);
  if (text === undefined) return undefined;
  // An object comes after its fields and the body last of all, so that inner fields of the same name are told from its own.
  const found = new Map<unknown, string>();
  let written: string | undefined;
  JSON.parse(
    text.replace(/^\uFEFF/, ""),
    function (this: unknown, key: string, value: unknown, context?: { readonly source?: string }) {
      if (key === name && typeof value === "number" && context?.source !== undefined) found.set(this, context.source);
      if (key === "") written = found.get(value);
      return value;
    },
  );
  return written;
}
