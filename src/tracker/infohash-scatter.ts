const WORDS = 5;

/**
 * Where an infohash falls in a hash table: a number of 32 bits, of which the table takes as many as it needs. The whole
 * infohash counts: those that share their beginning would otherwise share their place.
 *
 * @param key - Chance of this process: strangers choose infohashes, but not where they fall.
 * @param offset - Where the five words of the infohash begin.
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
