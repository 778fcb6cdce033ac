import { createHash } from "node:crypto";
import type { Route } from "./deployment.ts";

/**
 * The route for a request, by a hash of what it is about: the same request always gets the same model, and shares hold over
 * many different ones.
 */
export function chooseRoute<R extends Pick<Route, "share">>(routes: readonly R[], about: string): R {
  const [first, ...others] = routes;
  if (others.length === 0) return first as R;
  let point = createHash("md5").update(about).digest().readUInt32BE(0) / 2 ** 32;
  for (const route of routes) {
    if (point < route.share) return route;
    point -= route.share;
  }
  return first as R;
}
