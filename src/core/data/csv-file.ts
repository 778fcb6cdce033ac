import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";

/** How a CSV file's values are separated, and the names of its columns. */
export interface CsvHeader {
  readonly delimiter: string;
  readonly names: readonly string[];
}

const DELIMITERS = [",", ";", "\t", "|"] as const;
const HEADER_BYTES = 4 * 1024 * 1024;
const QUOTE = 0x22;

/**
 * Reads the first line by RFC 4180: values are separated by what splits it into most of the declared names (where none is declared,
 * into most names), and quoted by `"`, a quote in them doubled. Nothing is guessed from rows: what a file means must not change with
 * them. Null where the line has no end within 4 MiB.
 */
export async function csvHeader(path: string, declared: readonly string[]): Promise<CsvHeader | null> {
  const { text, isWhole } = await firstBytes(path);
  const wanted = new Set(declared);
  const found = DELIMITERS.flatMap((delimiter) => {
    const names = firstRecord(text, delimiter, isWhole);
    return names === null ? [] : [{ delimiter, names, matches: names.filter((name) => wanted.has(name)).length }];
  });
  const [best] = found.toSorted((a, b) => b.matches - a.matches || b.names.length - a.names.length);
  return best === undefined ? null : { delimiter: best.delimiter, names: best.names };
}

async function firstBytes(path: string): Promise<{ text: string; isWhole: boolean }> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    return { text: buffer.toString("utf8", 0, bytesRead).replace(/^\ufeff/, ""), isWhole: bytesRead < HEADER_BYTES };
  } finally {
    await file.close();
  }
}

function firstRecord(text: string, delimiter: string, isWhole: boolean): string[] | null {
  const names: string[] = [];
  for (let at = 0; ; at += 1) {
    let name = "";
    if (text[at] === '"') {
      const end = closingQuote(text, at + 1);
      if (end === null) return null;
      name = text.slice(at + 1, end).replaceAll('""', '"');
      at = end + 1;
    } else {
      const start = at;
      while (at < text.length && text[at] !== delimiter && text[at] !== "\n" && text[at] !== "\r") at += 1;
      name = text.slice(start, at).trim();
    }
    names.push(name);
    if (at >= text.length) return isWhole ? names : null;
    if (text[at] === "\n" || text[at] === "\r") return names;
    if (text[at] !== delimiter) return null;
  }
}

function closingQuote(text: string, from: number): number | null {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 2)) if (text[at + 1] !== '"') return at;
  return null;
}

/**
 * Whether a file ends inside of quotes, as one does that was cut short: an engine takes such a file for a shorter one. Only a file with
 * an odd number of quotes can, and only such a one is looked at more closely.
 */
export async function endsInQuotes(path: string, delimiter: string): Promise<boolean> {
  let quotes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    if (!(chunk instanceof Buffer)) continue;
    for (let at = chunk.indexOf(QUOTE); at >= 0; at = chunk.indexOf(QUOTE, at + 1)) quotes += 1;
  }
  return quotes % 2 === 1 && (await isOpenAtEnd(path, delimiter.charCodeAt(0)));
}

async function isOpenAtEnd(path: string, delimiter: number): Promise<boolean> {
  // A quote opens a value only at its beginning; elsewhere in a value that is not quoted it is a character like another.
  let state: "start" | "plain" | "quoted" | "closed" = "start";
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    if (!(chunk instanceof Buffer)) continue;
    for (const byte of chunk) {
      if (state === "quoted") {
        if (byte === QUOTE) state = "closed";
      } else if (byte === QUOTE && state !== "plain") state = "quoted";
      else state = byte === delimiter || byte === 0x0a || byte === 0x0d ? "start" : "plain";
    }
  }
  return state === "quoted";
}
