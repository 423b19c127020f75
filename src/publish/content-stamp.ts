import { toHex } from "../base/bytes.ts";
import { sha256 } from "../base/hash.ts";
import type { FileFacts, Files } from "../ports/files.ts";

/** Files that are looked at side by side. */
const LOOKS_AT_ONCE = 16;

/** What files look like from outside: nobody can write to one without changing this. */
export interface ContentLook {
  /** Of each file: its length and both its times; undefined when it is not there, or may not be looked at. */
  readonly files: readonly (FileFacts | undefined)[];
  /** All of it in one text. */
  readonly stamp: string;
  /** Wall milliseconds of the last change to any of them; the system sets it, and no program can set it back. */
  readonly newestMs: number;
}

/**
 * Looks at files.
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

/** @returns True when two looks at one file are of the same bytes, as far as the system tells. */
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
    // Closed to us, or on a disk that fails: whatever it is, it cannot be given to anybody.
    return undefined;
  }
}
