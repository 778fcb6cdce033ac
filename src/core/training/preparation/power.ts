import { type ColumnSample, deviationOf, momentsOf } from "./column-sample.ts";
import type { NumberFunction, PowerFamily } from "./number-maps.ts";

/**
 * The power that makes a column most nearly normal: maximum of the profile likelihood, whose spread term is the transformed values'
 * variance and whose other term is the transformation's Jacobian. 1 for a column that does not vary.
 */
export function powerOf(sample: ColumnSample, { log, power }: PowerFamily): number {
  if (deviationOf(sample) === 0) return 1;
  const logs = sample.values.map(log);
  const transformed = new Float64Array(logs.length);
  // The Jacobian of either family is the exponential of (lambda - 1) times this logarithm.
  const meanLog = momentsOf({ ...sample, values: logs }).mean;
  const cost = (lambda: number): number => {
    const ofLog = power(lambda);
    for (let i = 0; i < logs.length; i++) transformed[i] = ofLog(logs[i]);
    const deviation = deviationOf({ ...sample, values: transformed });
    // A power so extreme that all values become one number is no fit, though its variance is small.
    return deviation === 0 ? Number.POSITIVE_INFINITY : Math.log(deviation) - (lambda - 1) * meanLog;
  };
  return minimum(cost, -2, 2);
}

const GOLDEN = (3 - Math.sqrt(5)) / 2;
const TOLERANCE = 1e-8;

/** Minimum of a function with one valley; the first interval is widened while the valley lies at its edge. */
function minimum(cost: NumberFunction, from: number, to: number): number {
  let [low, high] = [from, to];
  for (let widened = 0; widened < 20; widened++) {
    const found = brent(cost, low, high);
    const width = high - low;
    if (found - low < 1e-3 * width && Number.isFinite(cost(low - width))) low -= width;
    else if (high - found < 1e-3 * width && Number.isFinite(cost(high + width))) high += width;
    else return found;
  }
  return brent(cost, low, high);
}

/**
 * Minimum inside an interval by parabolas through the last three best points, and by golden sections where these lead nowhere:
 * Brent, "Algorithms for minimization without derivatives" (1973), chapter 5.
 */
function brent(cost: NumberFunction, from: number, to: number): number {
  let [low, high] = [from, to];
  let best = low + GOLDEN * (high - low);
  let [second, third] = [best, best];
  let bestCost = cost(best);
  let [secondCost, thirdCost] = [bestCost, bestCost];
  let step = 0;
  let stepBefore = 0;
  for (let iteration = 0; iteration < 200; iteration++) {
    const middle = (low + high) / 2;
    const nearness = TOLERANCE * Math.abs(best) + TOLERANCE;
    if (Math.abs(best - middle) <= 2 * nearness - (high - low) / 2) break;

    const parabolic = parabolaStep([best, bestCost], [second, secondCost], [third, thirdCost]);
    const useful =
      Math.abs(parabolic) < Math.abs(stepBefore) / 2 && best + parabolic > low + nearness && best + parabolic < high - nearness;
    stepBefore = useful ? step : (best < middle ? high : low) - best;
    step = useful ? parabolic : GOLDEN * stepBefore;

    const at = best + (Math.abs(step) >= nearness ? step : Math.sign(step) * nearness);
    const atCost = cost(at);
    if (atCost <= bestCost) {
      if (at < best) high = best;
      else low = best;
      [third, thirdCost, second, secondCost, best, bestCost] = [second, secondCost, best, bestCost, at, atCost];
      continue;
    }
    if (at < best) low = at;
    else high = at;
    if (atCost <= secondCost || second === best) {
      [third, thirdCost, second, secondCost] = [second, secondCost, at, atCost];
    } else if (atCost <= thirdCost || third === best || third === second) {
      [third, thirdCost] = [at, atCost];
    }
  }
  return best;
}

type Point = readonly [x: number, cost: number];

/** From `best` to the lowest point of the parabola through three points; infinite where there is none. */
function parabolaStep([x, cost]: Point, [x2, cost2]: Point, [x3, cost3]: Point): number {
  const r = (x - x2) * (cost - cost3);
  const q = (x - x3) * (cost - cost2);
  const below = 2 * (q - r);
  return below === 0 || Number.isNaN(below) ? Number.POSITIVE_INFINITY : -((x - x3) * q - (x - x2) * r) / below;
}
