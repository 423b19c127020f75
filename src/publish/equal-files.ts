import { concatBytes } from "../base/bytes.ts";
import { sha256 } from "../base/hash.ts";
import type { Files, ReadFile } from "../ports/files.ts";

/** Bytes sampled at the beginning, in the middle and at the end of a file. */
const SAMPLE_BYTES = 16 * 1024;
/** Bytes of each file in memory during a comparison; a multiple of 4. */
const COMPARED_BYTES = 1024 * 1024;

/**
 * Samples three places of a file, so that only files which are very probably equal are compared.
 *
 * @returns SHA-256 of the sample; `undefined` when the file is missing or has another size.
 */
export async function sampleFile(
  files: Files,
  path: string,
  size: number,
): Promise<Uint8Array | undefined> {
  const file = await files.openRead(path);
  if (!file) return undefined;
  try {
    if (file.size !== size) return undefined;
    const last = Math.max(0, size - SAMPLE_BYTES);
    const parts: Uint8Array[] = [];
    for (const position of [0, Math.floor(last / 2), last]) {
      const part = new Uint8Array(Math.min(SAMPLE_BYTES, size));
      if ((await file.read(part, position)) < part.length) return undefined;
      parts.push(part);
    }
    return sha256(concatBytes(parts));
  } finally {
    await file.close();
  }
}

/**
 * Compares two files byte by byte.
 *
 * @param running - Called between parts; `false` aborts, and the result is "not equal".
 * @returns False also when one of them is missing.
 */
export async function areEqualFiles(
  files: Files,
  paths: readonly [string, string],
  running: () => boolean,
): Promise<boolean> {
  const one = await files.openRead(paths[0]);
  if (!one) return false;
  try {
    const other = await files.openRead(paths[1]);
    if (!other) return false;
    try {
      return one.size === other.size && (await haveEqualBytes(one, other, running));
    } finally {
      await other.close();
    }
  } finally {
    await one.close();
  }
}

async function haveEqualBytes(
  one: ReadFile,
  other: ReadFile,
  running: () => boolean,
): Promise<boolean> {
  const [left, right] = [new Uint8Array(COMPARED_BYTES), new Uint8Array(COMPARED_BYTES)];
  // Compares four bytes a step, because this runs on the main thread.
  const [leftWords, rightWords] = [new Uint32Array(left.buffer), new Uint32Array(right.buffer)];
  for (let position = 0; position < one.size; position += COMPARED_BYTES) {
    if (!running()) return false;
    const wanted = Math.min(COMPARED_BYTES, one.size - position);
    const counts = await Promise.all([one.read(left, position), other.read(right, position)]);
    // Shorter than a moment ago: somebody is changing it.
    if (counts.some((count) => count < wanted)) return false;
    left.fill(0, wanted);
    right.fill(0, wanted);
    for (let word = 0; word * 4 < wanted; word += 1) {
      if (leftWords[word] !== rightWords[word]) return false;
    }
  }
  return true;
}
