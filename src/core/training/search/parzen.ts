import type { ChoiceDomain, NumberDomain, ParameterValue, ParameterValues, SearchSpace } from "../../definitions/index.ts";
import type { RandomStream } from "../random.ts";
import { drawNormal, normalMass, uniform } from "./normal.ts";
import { axisOf } from "./space.ts";

/** A density over the parameters of a space, all of which apply. */
export interface Density {
  draw(random: RandomStream): ParameterValues;
  /** Up to a constant that is the same for every density over this space. */
  logDensity(point: ParameterValues): number;
}

/** What one parameter adds to each kernel of a mixture; kernel `observations.length` is the prior. */
interface Marginal {
  draw(kernel: number, random: RandomStream): ParameterValue;
  addLogDensity(value: ParameterValue, sums: Float64Array): void;
}

/** Densities are kept above this, so that their logarithms stay finite. */
const SMALLEST = 1e-300;

/**
 * A Parzen estimator: a mixture with one kernel for each observation and one for the prior, which covers the whole space. A kernel
 * is a product over the parameters: a normal distribution cut at the bounds (on the parameter's scale; over intervals for
 * integers), and for a choice the observed option with a share for all others. Bergstra et al., "Algorithms for hyper-parameter
 * optimization" (2011), 4.1, with products over several parameters as in Falkner et al., "BOHB" (2018).
 *
 * @param space parameters that apply to every observation
 */
export function parzenDensity(space: SearchSpace, observations: readonly ParameterValues[]): Density {
  const kernels = observations.length + 1;
  const marginals = space.map(({ name, domain }) => {
    const values = observations.map((point) => point[name]);
    return domain.search === "choice" ? choiceMarginal(domain, values) : numberMarginal(domain, values);
  });
  return {
    draw(random) {
      const kernel = random.below(kernels);
      return Object.fromEntries(space.map(({ name }, index) => [name, marginals[index].draw(kernel, random)]));
    },
    logDensity(point) {
      const sums = new Float64Array(kernels);
      space.forEach(({ name }, index) => {
        marginals[index].addLogDensity(point[name], sums);
      });
      return logSumExp(sums) - Math.log(kernels);
    },
  };
}

function numberMarginal(domain: NumberDomain, values: readonly ParameterValue[]): Marginal {
  const axis = axisOf(domain);
  const { low, high } = axis;
  if (low === high) return { draw: () => domain.low, addLogDensity: () => undefined };
  // A number's domain gives numbers only, which its values' common type does not say.
  const observed = values.map((value) => axis.position(Number(value)));
  const centres = Float64Array.of(...observed, (low + high) / 2);
  const widths = Float64Array.of(...bandwidths(observed, low, high), high - low);
  const logInside = centres.map((centre, k) => Math.log(normalMass((low - centre) / widths[k], (high - centre) / widths[k])));
  const logScale = logInside.map((log, k) => log + Math.log(widths[k]));
  return {
    draw(kernel, random) {
      // A centre lies within the bounds and a width is at most theirs, so that at least one draw in three is inside.
      for (;;) {
        const x = centres[kernel] + widths[kernel] * drawNormal(random);
        if (x >= low && x <= high) return axis.value(x);
      }
    },
    addLogDensity(value, sums) {
      const [from, to] = axis.cell(Number(value));
      for (let k = 0; k < sums.length; k++) {
        const a = (from - centres[k]) / widths[k];
        const b = (to - centres[k]) / widths[k];
        sums[k] += from === to ? -0.5 * a * a - logScale[k] : Math.log(Math.max(normalMass(a, b), SMALLEST)) - logInside[k];
      }
    },
  };
}

/**
 * The width of each observation's kernel: the distance to its farther neighbour, at most the whole range and at least
 * range / min(100, observations + 2), which keeps crowds of observations from becoming spikes ("magic clip" in hyperopt). The
 * outermost ones look at their only neighbour; a single one at the bounds.
 */
function bandwidths(observed: readonly number[], low: number, high: number): number[] {
  const range = high - low;
  const smallest = range / Math.min(100, observed.length + 2);
  const order = observed.map((_, index) => index).toSorted((a, b) => observed[a] - observed[b]);
  const widths = new Array<number>(observed.length);
  order.forEach((index, place) => {
    const left = place > 0 ? observed[index] - observed[order[place - 1]] : null;
    const right = place < order.length - 1 ? observed[order[place + 1]] - observed[index] : null;
    const alone = Math.max(observed[index] - low, high - observed[index]);
    const width = left === null && right === null ? alone : Math.max(left ?? 0, right ?? 0);
    widths[index] = Math.min(range, Math.max(smallest, width));
  });
  return widths;
}

function choiceMarginal({ options }: ChoiceDomain, values: readonly ParameterValue[]): Marginal {
  // Every option of every kernel gets 1 / kernels beside the 1 of the observed option.
  const share = 1 / (values.length + 1);
  const other = share / (1 + share * options.length);
  const own = other + 1 / (1 + share * options.length);
  const observed = values.map((value) => options.indexOf(value));
  const logOther = Math.log(other);
  const logOwn = Math.log(own);
  const logPrior = -Math.log(options.length);
  return {
    draw(kernel, random) {
      const any = options[random.below(options.length)];
      const stays = kernel < observed.length && uniform(random) < own - other;
      return stays ? options[observed[kernel]] : any;
    },
    addLogDensity(value, sums) {
      const option = options.indexOf(value);
      for (let k = 0; k < observed.length; k++) sums[k] += observed[k] === option ? logOwn : logOther;
      sums[observed.length] += logPrior;
    },
  };
}

function logSumExp(values: Float64Array): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const value of values) largest = Math.max(largest, value);
  let sum = 0;
  for (const value of values) sum += Math.exp(value - largest);
  return largest + Math.log(sum);
}
