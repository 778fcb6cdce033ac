import type { SourceInputs } from "../../core/ports/index.ts";
import { PostgresQueryReader } from "./postgres.ts";

/** Readers of what is not on this machine; each loads its client when it is first asked. */
export const openSourceInputs = (): SourceInputs => ({ postgres: new PostgresQueryReader() });
