import type { Route } from "./deployment.ts";

/**
 * The route for a request, by a hash of what it is about: the same thing always gets the same model, shares hold over many
 * different ones, and who has been with a later route stays there while its share grows at the cost of the first.
 */
export function chooseRoute<R extends Pick<Route, "share">>(routes: readonly R[], about: string): R {
  const point = unitHash(about);
  let end = 0;
  for (const route of routes) {
    end += route.share;
    if (point < end) return route;
  }
  return routes[routes.length - 1];
}

/** FNV-1a over UTF-16 units, finished as MurmurHash3 does so that near keys end far apart; in [0, 1). */
function unitHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
