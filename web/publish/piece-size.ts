const KIB = 1024;
const pieceSizeMin = 16 * KIB;
const pieceSizeMax = 256 * KIB * KIB;

/** Every piece size a torrent may have, bytes, smallest first. */
export const pieceSizes: readonly number[] = powersOfTwo(pieceSizeMin, pieceSizeMax);

function powersOfTwo(from: number, to: number): number[] {
  const powers: number[] = [];
  for (let power = from; power <= to; power *= 2) powers.push(power);
  return powers;
}
