import type { DatePart, PreparationStep } from "../../definitions/index.ts";
import { mapped, type NumberDraft } from "./draft-column.ts";

type DatePartsStep = Extract<PreparationStep, { kind: "date-parts" }>;

/** How many there are before the first comes again, and the first; absent for parts that do not come again. */
const PERIODS: Readonly<Partial<Record<DatePart, number>>> = {
  month: 12,
  day: 31,
  dayOfWeek: 7,
  dayOfYear: 366,
  hour: 24,
  minute: 60,
};

/** A column for each part of a timestamp, or two for a periodic one on its circle. */
export function dateParts({ parts, cyclic, keep }: DatePartsStep, draft: NumberDraft): NumberDraft[] {
  const columns = parts.flatMap((part): NumberDraft[] => {
    const column = { ...mapped(draft, { kind: "date-part", part }), name: `${draft.name}.${part}` };
    const period = PERIODS[part];
    if (!cyclic || period === undefined) return [{ ...column, isIndicator: part === "weekend" }];
    return (["sine", "cosine"] as const).map((wave) => ({
      ...mapped(column, { kind: "wave", wave, period }),
      name: `${column.name}.${wave}`,
    }));
  });
  return keep ? [draft, ...columns] : columns;
}

/** Whether a column still holds a timestamp: it may have been filled and clipped, and nothing else. */
export const isTimestamp = ({ source, maps }: NumberDraft): boolean =>
  source.kind === "number" && maps.every(({ kind }) => kind === "fill" || kind === "clip");
