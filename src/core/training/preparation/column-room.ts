import { trainErrors } from "../errors.ts";

/** More columns than these are no table that estimators here were made for. */
export const MAX_COLUMNS = 2_000;

/**
 * Asked before columns are made.
 * @param columns how many there would be in all
 * @param why begins the message: "carrier has 2,100 categories with a column each"
 * @throws TRAIN_TOO_MANY_COLUMNS, TRAIN_MEMORY_WOULD_NOT_SUFFICE
 */
export type RequireRoom = (columns: number, why: string, hint?: string) => void;

/** @param memoryLimit bytes that the matrix may take */
export function createColumnRoom(rows: number, memoryLimit: number): RequireRoom {
  return (columns, why, hint) => {
    const more = hint === undefined ? {} : { hint };
    if (columns > MAX_COLUMNS) {
      throw trainErrors.TRAIN_TOO_MANY_COLUMNS(`${why}: ${columns} columns are more than ${MAX_COLUMNS}`, more);
    }
    // A column that a step works on is there twice for a while.
    const bytes = (columns + 1) * rows * Float64Array.BYTES_PER_ELEMENT;
    if (bytes <= memoryLimit) return;
    throw trainErrors.TRAIN_MEMORY_WOULD_NOT_SUFFICE(
      `${why}: ${rows} rows x ${columns} columns take ${megabytes(bytes)} MB; ${megabytes(memoryLimit)} MB may be taken`,
      more,
    );
  };
}

const megabytes = (bytes: number): number => Math.ceil(bytes / 2 ** 20);
