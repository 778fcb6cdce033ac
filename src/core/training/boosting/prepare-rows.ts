import { trainErrors } from "../errors.ts";
import { createKernelMemory, type KernelMemory, MOST_KERNEL_BYTES } from "../kernels/kernel-memory.ts";
import type { Matrix } from "../matrix.ts";
import { assignBins, type BinnedColumn, planBins } from "../trees/binning.ts";
import type { CheckedTarget } from "./boosting-input.ts";
import type { BoostingParams } from "./boosting-params.ts";
import {
  groupColumns,
  planWorkspace,
  viewWorkspace,
  type Workspace,
  type WorkspaceShape,
  type WorkspaceViews,
} from "./workspace.ts";

/** The rows of a training in the memory that threads share. */
export interface PreparedRows {
  readonly memory: KernelMemory;
  readonly workspace: Workspace;
  readonly views: WorkspaceViews;
  readonly columns: readonly BinnedColumn[];
}

type ShapeBesidesRows = Pick<WorkspaceShape, "outputs" | "threads" | "cellBytes">;

/**
 * Bins the rows and puts them in place; validation rows follow the training rows.
 * @param memoryLimit bytes that the workspace may take
 * @throws TRAIN_MEMORY_WOULD_NOT_SUFFICE, before anything large is allocated
 */
export function prepareRows(
  training: Matrix,
  target: CheckedTarget,
  validation: Matrix | null,
  { maxBins, leaves }: BoostingParams,
  shape: ShapeBesidesRows,
  memoryLimit: number,
): PreparedRows {
  const { rows } = training;
  const weights = target.weights ?? undefined;
  const binnings = training.columns.map((column, index) => planBins(column, training.categories?.[index] ?? 0, maxBins, weights));
  const allRows = rows + (validation?.rows ?? 0);
  const columnCells = binnings.map(({ valueBins }) => valueBins + 1);
  const cells = columnCells.reduce((sum, own) => sum + own, 0);
  const groups = groupColumns(columnCells);
  const weighted = target.weights !== null;
  const columnCount = binnings.length;
  // No tree has more leaves than rows.
  const mostLeaves = Math.min(leaves, rows);
  const workspace = planWorkspace({ ...shape, rows, allRows, columns: columnCount, weighted, cells, groups, leaves: mostLeaves });
  checkMemory(workspace, memoryLimit);

  const memory = createKernelMemory(workspace.bytes);
  const views = viewWorkspace(memory, workspace);
  const columns = binnings.map((binning, index) => {
    const bins = views.bytes.subarray(workspace.bins + index * allRows, workspace.bins + (index + 1) * allRows);
    const hasMissing = assignBins(training.columns[index], binning, bins);
    if (validation !== null) assignBins(validation.columns[index], binning, bins.subarray(rows));
    return { binning, bins, hasMissing };
  });
  views.targets.set(target.values);
  if (target.weights !== null) views.weights?.set(target.weights);
  for (let row = 0; row < allRows; row++) views.order[row] = row;
  let offset = 0;
  binnings.forEach(({ valueBins }, index) => {
    views.offsets[index] = offset;
    offset += valueBins + 1;
  });
  return { memory, workspace, views, columns };
}

function checkMemory({ bytes, rows, columns, leaves }: Workspace, limit: number): void {
  if (bytes <= Math.min(limit, MOST_KERNEL_BYTES)) return;
  const megabytes = (count: number) => Math.ceil(count / 2 ** 20);
  const allowed = megabytes(Math.min(limit, MOST_KERNEL_BYTES));
  throw trainErrors.TRAIN_MEMORY_WOULD_NOT_SUFFICE(
    `gradient boosting of ${rows} rows x ${columns} columns with ${leaves} leaves takes ${megabytes(bytes)} MB; ${allowed} MB may be taken`,
    { details: { bytes, limit } },
  );
}
