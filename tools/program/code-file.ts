import { readFileSync, renameSync, writeFileSync } from "node:fs";

/** How the names of compiled code end that this Node can use. */
export const CODE_SUFFIX = `.${process.version}-${process.arch}.code`;

/**
 * Where the compiled code of a chunk lies, and for which Node: another takes no notice of it.
 *
 * The file holds the code twice. V8 does not check code that it is given, and a wrong bit ends the process; to
 * compare two copies takes a tenth of the time of any sum that is at hand so early.
 */
function codeFile(chunk: string): string {
  return `${chunk}${CODE_SUFFIX}`;
}

/** @returns What V8 made of the chunk, or nothing when it was made by another Node or is damaged. */
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

/** How the name ends of what is not whole yet. */
export const UNFINISHED = ".part";

/** @param writer - Unlike that of all who may write the same at the same time. */
export function writeCode(chunk: string, code: Buffer, writer: string): void {
  const file = codeFile(chunk);
  const staging = `${file}.${writer}${UNFINISHED}`;
  writeFileSync(staging, Buffer.concat([code, code]), { flush: true });
  renameSync(staging, file);
}
