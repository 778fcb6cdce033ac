import { namesOf, type Subject, subjectOf } from "./check-filter.ts";
import type { Entity } from "./entities.ts";
import { type Objection, refuseOrder, type Span } from "./filter-error.ts";
import type { DatasetChoice } from "./interfaces.ts";
import { type Path, pathOf } from "./parse-filter.ts";
import { type Token, tokensOf } from "./tokens.ts";

export type OrderSubject = Exclude<Subject, { readonly of: "dataset" }>;

export interface OrderTerm {
  readonly subject: OrderSubject;
  readonly descending: boolean;
  /** Whose metrics count, of logged models. */
  readonly dataset?: DatasetChoice | undefined;
}

export const MAX_ORDER_TERMS = 16;

/**
 * A total order: the terms asked for, or the entity's own, then what decides between equals.
 * @throws TRACKING_ORDER_INVALID
 */
export function orderOf(asked: readonly OrderTerm[], sources: readonly string[], entity: Entity): readonly OrderTerm[] {
  if (asked.length > MAX_ORDER_TERMS) {
    const last = sources[MAX_ORDER_TERMS] ?? "";
    throw refuseOrder(last, { start: 0, end: last.length }, "syntax", `an order has at most ${MAX_ORDER_TERMS} terms`);
  }
  const seen = new Set<string>();
  asked.forEach((term, place) => {
    const source = sources[place] ?? "";
    if (seen.has(nameOf(term)))
      throw refuseOrder(source, { start: 0, end: source.length }, "duplicate", "an order holds each identifier once");
    seen.add(nameOf(term));
  });
  const own = (text: string) => parseOrderTerm(text, entity);
  const keys = entity.key.map(({ attribute, descending }) => own(`${attribute} ${descending ? "DESC" : "ASC"}`));
  const wanted = asked.length > 0 ? [...asked, ...entity.undecided.map(own)] : entity.defaultOrder.map(own);
  const order: OrderTerm[] = [];
  for (const term of [...wanted, ...keys]) if (!order.some((before) => nameOf(before) === nameOf(term))) order.push(term);
  return order;
}

export const nameOf = ({ subject, dataset }: OrderTerm): string =>
  JSON.stringify([subject.of, subject.of === "attribute" ? subject.name : subject.key, dataset?.name, dataset?.digest]);

/** "metrics.auc DESC"; ascending without a direction. @throws TRACKING_ORDER_INVALID */
export function parseOrderTerm(source: string, entity: Entity): OrderTerm {
  const tokens = tokensOf(source, refuseOrder);
  const [first, second, third] = tokens;
  const { path, subject } = identifierOf(source, first, entity);
  if (second === undefined || second.kind === "end") return { subject, descending: false };
  const direction = second.kind === "path" && second.key === null && !second.quoted ? second.room.toUpperCase() : "";
  if (direction !== "ASC" && direction !== "DESC")
    throw refuseOrder(
      source,
      second.span,
      "syntax",
      `expected ASC or DESC after "${source.slice(path.span.start, path.span.end)}"`,
    );
  if (third !== undefined && third.kind !== "end")
    throw refuseOrder(source, third.span, "syntax", `expected nothing after ${direction}`);
  return { subject, descending: direction === "DESC" };
}

/** An identifier alone: what a client orders by that gives the direction beside it. @throws TRACKING_ORDER_INVALID */
export function parseOrderField(source: string, entity: Entity): OrderSubject {
  const [first, second] = tokensOf(source, refuseOrder);
  const { subject } = identifierOf(source, first, entity);
  if (second !== undefined && second.kind !== "end")
    throw refuseOrder(source, second.span, "syntax", "expected an identifier alone");
  return subject;
}

function identifierOf(source: string, token: Token | undefined, entity: Entity): { path: Path; subject: OrderSubject } {
  const object = (span: Span, objection: Objection, what: string) => refuseOrder(source, span, objection, what);
  const path = pathIn(token);
  if (path === null)
    throw object(token?.span ?? { start: 0, end: 0 }, "syntax", "expected an identifier such as metrics.auc or start_time");
  const subject = subjectOf(path, entity, entity.orderable ?? namesOf(entity), object);
  if (subject.of === "dataset")
    throw object(path.span, "attribute", "a run can have many data sets; order by an attribute, metric, param or tag");
  return { path, subject };
}

function pathIn(token: Token | undefined): Path | null {
  if (token?.kind === "path") return pathOf(token);
  if (token?.kind === "text" && token.quote === '"') return { room: null, key: token.text, span: token.span };
  return null;
}
