/** Bytes that differ from place to place, and by seed. */
export function bytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).map((_, index) => (index * 7 + seed * 31 + (index >>> 9)) & 0xff);
}
