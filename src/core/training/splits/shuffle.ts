import type { RandomStream } from "../random.ts";

/** Puts the elements into an order drawn at random, in place (Fisher-Yates). */
export function shuffle<T extends Int32Array | Uint32Array>(elements: T, random: RandomStream): T {
  for (let i = elements.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const swapped = elements[i];
    elements[i] = elements[j];
    elements[j] = swapped;
  }
  return elements;
}
