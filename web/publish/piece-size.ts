const KIB = 1024;
const pieceSizeMin = 16 * KIB;
const pieceSizeMax = 256 * KIB * KIB;
const automaticMax = 16 * KIB * KIB;
const sha1Bytes = 20;

/** Every piece size a torrent may have, bytes, smallest first. */
export const pieceSizes: readonly number[] = powersOfTwo(pieceSizeMin, pieceSizeMax);

/**
 * The piece size that the hub chooses by default, so that the form can show it before anything is sent. The rule is
 * that of `src/metainfo/create.ts`; a test compares the two.
 */
export function automaticPieceSize(totalBytes: number): number {
  let size = pieceSizeMin;
  let bound = ((2 * pieceSizeMin) / sha1Bytes) ** 2;
  while (totalBytes > Math.round(bound) && size < automaticMax) {
    size *= 2;
    bound *= 4;
  }
  return size;
}

function powersOfTwo(from: number, to: number): number[] {
  const powers: number[] = [];
  for (let power = from; power <= to; power *= 2) powers.push(power);
  return powers;
}
