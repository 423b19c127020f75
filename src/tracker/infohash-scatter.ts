const WORDS = 5;

/**
 * Hashes an infohash to 32 bits, of which a table uses as many as it needs. The whole infohash
 * counts: otherwise infohashes with the same beginning would share a slot.
 *
 * @param key - Random for each process: strangers choose infohashes, but not the slots they hash
 * to.
 * @param offset - Index of the first of the infohash's five words.
 */
export function scatter(key: number, words: Int32Array, offset: number): number {
  let mixed = key;
  for (let i = 0; i < WORDS; i += 1) {
    mixed = Math.imul(mixed ^ words[offset + i]!, 0x9e3779b1);
    mixed ^= mixed >>> 15;
  }
  mixed = Math.imul(mixed, 0x85ebca6b);
  return mixed ^ (mixed >>> 13);
}
