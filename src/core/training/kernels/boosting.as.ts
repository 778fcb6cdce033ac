// Kernels of gradient boosting. A histogram's cell is two 64-bit integers: the sum of gradients, and the sum of hessians above the
// sum of weights. Sums of integers are exact, so that neither the order of rows nor the number of threads can change a tree.

/** parent -= child, cell by cell: what is left is the histogram of the other child. */
export function subtractHistogram(parent: usize, child: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(parent + at, i64x2.sub(v128.load(parent + at), v128.load(child + at)));
  }
}
