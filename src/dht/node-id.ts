import type { Random } from "../ports/random.ts";

/** A node id, an infohash and the target of an item live in one space of 160 bits (BEP 5). */
export const NODE_ID_BYTES = 20;
export const NODE_ID_BITS = 160;

/** The number of leading bits that two ids share, 0..160. */
export function sharedBits(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < NODE_ID_BYTES; i += 1) {
    const difference = a[i]! ^ b[i]!;
    if (difference !== 0) return i * 8 + Math.clz32(difference) - 24;
  }
  return NODE_ID_BITS;
}

/** Orders two ids by their distance to `target`, the nearer first. The distance is XOR, read as a number (BEP 5). */
export function compareDistance(target: Uint8Array, a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < NODE_ID_BYTES; i += 1) {
    const difference = (target[i]! ^ a[i]!) - (target[i]! ^ b[i]!);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** A random id that shares exactly `bits` leading bits with `id`; at least as many when `orMore` is set. */
export function randomIdNear(
  id: Uint8Array,
  bits: number,
  options: { readonly random: Random; readonly orMore: boolean },
): Uint8Array {
  const made = options.random.bytes(NODE_ID_BYTES);
  for (let bit = 0; bit < Math.min(bits, NODE_ID_BITS); bit += 1) copyBit(made, id, bit);
  if (options.orMore || bits >= NODE_ID_BITS) return made;
  copyBit(made, id, bits);
  made[bits >> 3]! ^= 0x80 >> (bits & 7);
  return made;
}

function copyBit(to: Uint8Array, from: Uint8Array, bit: number): void {
  const mask = 0x80 >> (bit & 7);
  to[bit >> 3] = (to[bit >> 3]! & ~mask) | (from[bit >> 3]! & mask);
}
