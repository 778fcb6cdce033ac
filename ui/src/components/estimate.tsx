import type { MetricEstimate } from "../../../src/contract/index.ts";
import { formatInterval, formatMetric } from "./format.ts";

/** A value with its 95% interval where it has one; a dash where the metric is undefined. */
export function Estimate({ estimate, strong = false }: { estimate: MetricEstimate | undefined; strong?: boolean }) {
  if (estimate === undefined) return <span className="muted">–</span>;
  return (
    <span className="estimate num">
      <span style={strong ? { fontWeight: 600 } : undefined}>{formatMetric(estimate.value)}</span>
      {estimate.low === estimate.high ? null : <span className="interval">{formatInterval(estimate)}</span>}
    </span>
  );
}
