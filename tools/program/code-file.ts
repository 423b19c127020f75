import { closeSync, fstatSync, openSync, readSync, renameSync, writeFileSync } from "node:fs";

/** The suffix of compiled code that this Node can use. */
export const CODE_SUFFIX = `.${process.version}-${process.arch}.code`;

/** How much of the second copy is in memory at once. */
const COMPARED_BYTES = 64 * 1024;

/**
 * Where the compiled code of a chunk is, and for which Node: another Node ignores it.
 *
 * The file holds the code twice. V8 does not check the code it is given, and a wrong bit crashes the process; comparing
 * two copies takes a tenth of the time of any checksum that is available this early.
 */
function codeFile(chunk: string): string {
  return `${chunk}${CODE_SUFFIX}`;
}

/** Code in memory of its own, which `releaseCode` frees. */
export type Code = Uint8Array<ArrayBuffer>;

/** @returns The code that V8 compiled of the chunk, or nothing when another Node made it or it is damaged. */
export function readCode(chunk: string): Code | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(codeFile(chunk), "r");
  } catch {
    return undefined;
  }
  try {
    const length = Math.floor(fstatSync(descriptor).size / 2);
    const code = new Uint8Array(length);
    if (readSync(descriptor, code, 0, length, 0) < length) return undefined;
    return isRepeated(descriptor, code) ? code : undefined;
  } finally {
    closeSync(descriptor);
  }
}

/** @returns Whether the second half of the file is the code again. */
function isRepeated(descriptor: number, code: Code): boolean {
  const part = Buffer.allocUnsafe(Math.min(COMPARED_BYTES, code.length));
  for (let at = 0; at < code.length; at += part.length) {
    const length = Math.min(part.length, code.length - at);
    if (readSync(descriptor, part, 0, length, code.length + at) < length) return false;
    if (part.compare(code, at, at + length, 0, length) !== 0) return false;
  }
  return true;
}

/**
 * Frees the memory of code that V8 has taken over. Left to the collector, the code of all chunks of a command would be
 * in memory twice: it runs for the first time long after the start.
 */
export function releaseCode(code: Code): void {
  code.buffer.transfer(0);
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
