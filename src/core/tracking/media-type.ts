/** Read as text by people and tools, whatever else they are; among them files without an extension. */
const TEXT = new Set(
  "txt log err cfg conf cnf cf ini properties prop hocon toml yaml yml xml json js py py3 csv tsv md rst ipynb MLmodel mlproject".split(
    " ",
  ),
);

/** A map, because a file may be called "__proto__". */
const TYPES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    avi: "video/x-msvideo",
    bmp: "image/bmp",
    css: "text/css",
    doc: "application/msword",
    docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    gif: "image/gif",
    gz: "application/gzip",
    htm: "text/html",
    html: "text/html",
    ico: "image/vnd.microsoft.icon",
    jpeg: "image/jpeg",
    jpg: "image/jpeg",
    mov: "video/quicktime",
    mp3: "audio/mpeg",
    mp4: "video/mp4",
    mpeg: "video/mpeg",
    ogg: "audio/ogg",
    parquet: "application/vnd.apache.parquet",
    pdf: "application/pdf",
    png: "image/png",
    ppt: "application/vnd.ms-powerpoint",
    pptx: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    sql: "application/sql",
    svg: "image/svg+xml",
    tar: "application/x-tar",
    tif: "image/tiff",
    tiff: "image/tiff",
    ts: "text/plain",
    wasm: "application/wasm",
    wav: "audio/x-wav",
    webm: "video/webm",
    webp: "image/webp",
    xls: "application/vnd.ms-excel",
    xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    zip: "application/zip",
  }),
);

/** What a file's name says of its bytes; "application/octet-stream" where it says nothing. */
export function mediaTypeOf(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  const extension = dot <= 0 ? name : name.slice(dot + 1);
  if (TEXT.has(extension)) return "text/plain";
  return TYPES.get(extension.toLowerCase()) ?? "application/octet-stream";
}
