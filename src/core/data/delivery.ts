import type { FileFormat } from "../definitions/index.ts";
import type { PartOrigin } from "./snapshot.ts";

/** Rows as they were delivered: one local file that becomes one part. */
export interface Delivery {
  /** The file's name, for people. */
  readonly name: string;
  readonly format: FileFormat;
  /** Columns that the folders around the file say; null where they say that there is no value. */
  readonly partition: Readonly<Record<string, string | null>>;
  /** Hash of its bytes and of what its folders say: equal hash, equal rows. */
  readonly hash: string;
  /** Columns that its rows had, are not declared, and are not in the file; absent where the file itself says what it holds. */
  readonly undeclared?: readonly string[];
  /** What to keep with the part, to know next time what is new. */
  readonly from?: PartOrigin;
  /**
   * Hands a readable file to `read` and takes away what was made for it.
   * @throws DATA_FILE_CHANGED where it is no longer what was hashed, and whatever `read` throws
   */
  use<T>(read: (path: string) => Promise<T>): Promise<T>;
}
