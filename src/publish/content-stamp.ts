import { toHex } from "../base/bytes.ts";
import { sha256 } from "../base/hash.ts";
import type { FileFacts, Files } from "../ports/files.ts";

/** Files that are examined in parallel. */
const LOOKS_AT_ONCE = 16;

/** The outside of files: a write to one of them always changes it. */
export interface ContentLook {
  /** For each file its length and both times; undefined when it is missing or not accessible. */
  readonly files: readonly (FileFacts | undefined)[];
  /** All of it as one text. */
  readonly stamp: string;
  /** Wall milliseconds of the last change to any file; the system sets this time, and no program can set it back. */
  readonly newestMs: number;
}

/**
 * Examines files.
 *
 * @param paths - Absolute.
 */
export async function lookAtFiles(
  paths: readonly string[],
  files: Pick<Files, "stat">,
): Promise<ContentLook> {
  const looks: (FileFacts | undefined)[] = [];
  for (let at = 0; at < paths.length; at += LOOKS_AT_ONCE) {
    const some = paths.slice(at, at + LOOKS_AT_ONCE);
    looks.push(...(await Promise.all(some.map((path) => lookAt(path, files)))));
  }
  let newestMs = 0;
  const table = new Float64Array(looks.length * 3);
  for (const [index, facts] of looks.entries()) {
    if (!facts) continue;
    table.set([facts.size + 1, facts.mtimeMs, facts.ctimeMs], index * 3);
    newestMs = Math.max(newestMs, facts.mtimeMs, facts.ctimeMs);
  }
  const digest = sha256(new Uint8Array(table.buffer));
  return { files: looks, stamp: toHex(digest.subarray(0, 16)), newestMs };
}

/** @returns True when two looks at a file saw the same bytes, as far as the system can tell. */
export function looksAlike(a: FileFacts | undefined, b: FileFacts | undefined): boolean {
  if (!a || !b) return a === b;
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs;
}

async function lookAt(path: string, files: Pick<Files, "stat">): Promise<FileFacts | undefined> {
  try {
    const facts = await files.stat(path);
    return facts?.folder === true ? undefined : facts;
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    // Not accessible, or on a failing disk: either way it cannot be served.
    return undefined;
  }
}
