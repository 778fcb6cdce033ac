import { type CompiledQuery, SelectQueryNode } from "kysely";

/** Whether a query only reads: such a one needs no writer and may be asked again. */
export const isSelect = ({ query, sql }: CompiledQuery): boolean =>
  SelectQueryNode.is(query) || (query.kind === "RawNode" && /^\s*(?:select|explain)\b/i.test(sql));
