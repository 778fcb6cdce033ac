/** What must be in every ModelProto and GraphProto, by field number (onnx.proto3). */
const MODEL = { irVersion: 1, graph: 7, operatorSets: 8 };
const GRAPH = { node: 1, output: 12 };

/**
 * Whether bytes are an ONNX model at all: protocol buffers from end to end, with a version, operator sets and a graph that computes
 * something. Whether its operators are known is for whoever imports it.
 */
export function isOnnx(bytes: Uint8Array): boolean {
  const model = fieldsOf(bytes);
  const graph = model?.get(MODEL.graph);
  if (!model?.has(MODEL.irVersion) || !model.has(MODEL.operatorSets) || !(graph instanceof Uint8Array)) return false;
  const parts = fieldsOf(graph);
  return parts?.has(GRAPH.node) === true && parts.has(GRAPH.output);
}

/** The last value of each field of a message: bytes where they have a length, else null; null for what is no message. */
function fieldsOf(bytes: Uint8Array): Map<number, Uint8Array | null> | null {
  const fields = new Map<number, Uint8Array | null>();
  const cursor = { at: 0 };
  while (cursor.at < bytes.length) {
    const tag = readVarint(bytes, cursor);
    const length = lengthOf(tag % 8, bytes, cursor);
    const field = Math.floor(tag / 8);
    if (field === 0 || length === null || cursor.at + length > bytes.length) return null;
    fields.set(field, tag % 8 === 2 ? bytes.subarray(cursor.at, cursor.at + length) : null);
    cursor.at += length;
  }
  return fields;
}

/** Bytes that a value of this wire type takes from the cursor on; null for a type that does not exist or a value cut short. */
function lengthOf(wireType: number, bytes: Uint8Array, cursor: { at: number }): number | null {
  if (wireType === 1) return 8;
  if (wireType === 5) return 4;
  if (wireType !== 0 && wireType !== 2) return null;
  const value = readVarint(bytes, cursor);
  if (Number.isNaN(value)) return null;
  return wireType === 0 ? 0 : value;
}

/** NaN where it does not end. Precise to 2^53, beyond which no length and no tag goes. */
function readVarint(bytes: Uint8Array, cursor: { at: number }): number {
  let value = 0;
  for (let shift = 0; shift < 10 && cursor.at < bytes.length; shift++) {
    const byte = bytes[cursor.at++];
    value += (byte & 127) * 128 ** shift;
    if (byte < 128) return value;
  }
  return Number.NaN;
}
