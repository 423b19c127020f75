import { readFileSync, renameSync, writeFileSync } from "node:fs";

/** The suffix of compiled code that this Node can use. */
export const CODE_SUFFIX = `.${process.version}-${process.arch}.code`;

/**
 * Where the compiled code of a chunk is, and for which Node: another Node ignores it.
 *
 * The file holds the code twice. V8 does not check the code it is given, and a wrong bit crashes the process; comparing
 * two copies takes a tenth of the time of any checksum that is available this early.
 */
function codeFile(chunk: string): string {
  return `${chunk}${CODE_SUFFIX}`;
}

/** @returns The code that V8 compiled of the chunk, or nothing when another Node made it or it is damaged. */
export function readCode(chunk: string): Buffer | undefined {
  let both: Buffer;
  try {
    both = readFileSync(codeFile(chunk));
  } catch {
    return undefined;
  }
  const half = both.length >>> 1;
  const code = both.subarray(0, half);
  return code.equals(both.subarray(half)) ? code : undefined;
}

/** The suffix of an incomplete file. */
export const UNFINISHED = ".part";

/** @param writer - Unique among all that may write the same file at the same time. */
export function writeCode(chunk: string, code: Buffer, writer: string): void {
  const file = codeFile(chunk);
  const staging = `${file}.${writer}${UNFINISHED}`;
  writeFileSync(staging, Buffer.concat([code, code]), { flush: true });
  renameSync(staging, file);
}
