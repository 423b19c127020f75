/** The remainders of four bits. A table of eight takes so long that V8 optimizes its making, at each start of a process. */
const TABLE = Uint32Array.from({ length: 16 }, (_, bits) => {
  let crc = bits;
  for (let bit = 0; bit < 4; bit += 1) crc = (crc >>> 1) ^ ((crc & 1) * 0x82f63b78);
  return crc;
});

/** CRC-32C (Castagnoli, RFC 3720 appendix B.4), used by BEP 40 and 42. @returns An unsigned number. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    crc = (crc >>> 4) ^ TABLE[crc & 15]!;
    crc = (crc >>> 4) ^ TABLE[crc & 15]!;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
