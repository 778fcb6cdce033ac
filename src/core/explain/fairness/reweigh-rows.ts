import { explainErrors } from "../errors.ts";
import type { ProtectedGroups } from "./protected-groups.ts";

/**
 * Reweighing (Kamiran and Calders 2012): weights for training under which group and label are independent, so that every group has
 * the base rate of all rows. A row of group g and label y gets W(g) W(y) / (W W(g, y)), times its own weight; the weights of each
 * group and of each label sum to what they summed to before. A group that has one label only cannot be balanced by weights and
 * keeps its base rate.
 * @throws EXPLAIN_GROUPS_INVALID where a row has no label or no weight
 */
export function reweighRows({ values, group }: ProtectedGroups, labels: Uint8Array, weights?: Float64Array): Float64Array {
  if (labels.length !== group.length || (weights !== undefined && weights.length !== group.length)) {
    const given = weights === undefined ? "" : `, ${weights.length} weights`;
    throw explainErrors.EXPLAIN_GROUPS_INVALID(`${group.length} rows in groups, ${labels.length} labels${given}`);
  }
  const ofCell = new Float64Array(2 * values.length);
  const ofLabel = new Float64Array(2);
  for (let row = 0; row < labels.length; row++) {
    const own = weights === undefined ? 1 : weights[row];
    ofCell[2 * group[row] + labels[row]] += own;
    ofLabel[labels[row]] += own;
  }
  const total = ofLabel[0] + ofLabel[1];
  const factor = ofCell.map((cell, index) => {
    const ofGroup = ofCell[index] + ofCell[index ^ 1];
    return cell > 0 ? (ofGroup * ofLabel[index & 1]) / (total * cell) : 0;
  });
  return Float64Array.from(labels, (label, row) => factor[2 * group[row] + label] * (weights === undefined ? 1 : weights[row]));
}
