/**
 * Ratio of the variance between classes to that within them (one-way analysis of variance); rows without a value are left out. NaN for
 * a column that does not vary, infinite where it tells the classes apart without rest.
 */
export function classSeparation(values: Float64Array, classes: ArrayLike<number>, weights?: Float64Array): number {
  const totals: number[] = [];
  const sums: number[] = [];
  eachKnown(values, weights, (value, weight, row) => {
    totals[classes[row]] = (totals[classes[row]] ?? 0) + weight;
    sums[classes[row]] = (sums[classes[row]] ?? 0) + weight * value;
  });
  const total = totals.reduce((sum, each) => sum + each, 0);
  const mean = sums.reduce((sum, each) => sum + each, 0) / total;
  let within = 0;
  eachKnown(values, weights, (value, weight, row) => {
    within += weight * (value - sums[classes[row]] / totals[classes[row]]) ** 2;
  });
  const between = totals.reduce((sum, each, index) => sum + each * (sums[index] / each - mean) ** 2, 0);
  const present = totals.reduce((count) => count + 1, 0);
  return between / (present - 1) / (within / (total - present));
}

/** F statistic of a straight line through the target: r^2 / (1 - r^2) times (rows - 2). NaN for a column that does not vary. */
export function linearSeparation(values: Float64Array, target: ArrayLike<number>, weights?: Float64Array): number {
  let total = 0;
  let meanX = 0;
  let meanY = 0;
  eachKnown(values, weights, (value, weight, row) => {
    total += weight;
    meanX += (weight / total) * (value - meanX);
    meanY += (weight / total) * (target[row] - meanY);
  });
  let [xx, yy, xy] = [0, 0, 0];
  eachKnown(values, weights, (value, weight, row) => {
    const x = value - meanX;
    const y = target[row] - meanY;
    xx += weight * x * x;
    yy += weight * y * y;
    xy += weight * x * y;
  });
  const explained = (xy * xy) / (xx * yy);
  return (explained / (1 - explained)) * (total - 2);
}

function eachKnown(
  values: Float64Array,
  weights: Float64Array | undefined,
  visit: (value: number, weight: number, row: number) => void,
): void {
  for (let row = 0; row < values.length; row++) {
    const weight = weights?.[row] ?? 1;
    if (weight > 0 && Number.isFinite(values[row])) visit(values[row], weight, row);
  }
}
