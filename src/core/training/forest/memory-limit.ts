import { totalmem } from "node:os";

/** Left to everything else on the machine. */
const RESERVED_SHARE = 0.2;

/** Bytes that training may take on this machine, or in this container where that has less. */
export function memoryLimit(): number {
  const constrained = process.constrainedMemory();
  const physical = totalmem();
  return (1 - RESERVED_SHARE) * (constrained > 0 ? Math.min(constrained, physical) : physical);
}
