import { initial } from "./0001-initial.ts";
import { tracking } from "./0002-tracking.ts";
import { erasures } from "./0003-erasures.ts";
import type { Migration } from "./migration.ts";

export type { Migration } from "./migration.ts";

/** Every migration in order; a new one is appended, an old one never edited. */
export const MIGRATIONS: readonly Migration[] = [initial, tracking, erasures];
