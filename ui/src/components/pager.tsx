import { Button } from "@mantine/core";
import { useState } from "react";

export interface Pages {
  /** Undefined on the first page. */
  readonly cursor: string | undefined;
  readonly number: number;
  forward(cursor: string): void;
  back(): void;
  first(): void;
}

/** Walks a list that the server pages by cursor: forward with what it gave, back by what was walked. */
export function usePages(): Pages {
  const [walked, setWalked] = useState<readonly string[]>([]);
  return {
    cursor: walked.at(-1),
    number: walked.length + 1,
    forward: (cursor) => setWalked([...walked, cursor]),
    back: () => setWalked(walked.slice(0, -1)),
    first: () => setWalked([]),
  };
}

interface PagerProps {
  pages: Pages;
  next: string | null;
  /** Rows on this page, and the most that a page holds. */
  count: number;
  size: number;
  /** What lies before and after this page; what is newer and older, as most lists stand. */
  words?: readonly [before: string, after: string];
}

export function Pager({ pages, next, count, size, words: [before, after] = ["Newer", "Older"] }: PagerProps) {
  if (pages.number === 1 && next === null) return null;
  const from = (pages.number - 1) * size + 1;
  return (
    <nav className="row" aria-label="Pages of the list">
      <Button size="compact-sm" variant="default" disabled={pages.number === 1} onClick={pages.back}>
        {before}
      </Button>
      <span className="muted num">
        {from} to {from + count - 1}
      </span>
      <Button
        size="compact-sm"
        variant="default"
        disabled={next === null}
        onClick={() => {
          if (next !== null) pages.forward(next);
        }}
      >
        {after}
      </Button>
    </nav>
  );
}
