import { useLocation, useNavigate } from "@tanstack/react-router";
import type { Pages } from "./pager.tsx";

declare module "@tanstack/react-router" {
  interface HistoryState {
    /** Cursors of the pages before this one, the first page's is "". */
    walked?: readonly string[];
  }
}

interface Place {
  readonly cursor?: string;
  readonly page?: number;
}

/**
 * The pages of a list whose cursor stands in the address, so that a link shows the same page and the browser's way back works. What lies before
 * a page is kept beside its place in the history; somebody who came by a link goes back to the first page.
 */
export function useAddressPages({ cursor, page = 1 }: Place): Pages {
  const navigate = useNavigate();
  const walked = useLocation().state.walked ?? [];
  const go = (to: string, number: number, before: readonly string[]) =>
    void navigate({
      to: ".",
      // The list's other choices stay as they are.
      search: ({ cursor: _cursor, page: _page, ...kept }: Record<string, unknown>) =>
        to === "" ? kept : { ...kept, cursor: to, page: number },
      state: (state) => ({ ...state, walked: before }),
    });
  return {
    cursor,
    number: cursor === undefined ? 1 : Math.max(2, page),
    forward: (next) => go(next, page + 1, [...walked, cursor ?? ""]),
    back: () => go(walked.at(-1) ?? "", page - 1, walked.slice(0, -1)),
    first: () => go("", 1, []),
  };
}
