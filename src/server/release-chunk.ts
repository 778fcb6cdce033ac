/**
 * Gives back the memory of a chunk of a stream that nobody will look at again. It would be collected some time; but streams make chunks
 * faster than they are collected, and a large file would be paid for with many megabytes. Part of a larger buffer is left alone.
 */
export function releaseChunk({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
