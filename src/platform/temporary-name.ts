import { basename, dirname, join } from "node:path";

/** Suffix of files in preparation; after a crash such files belong to nobody (STO-14). */
const TEMPORARY_SUFFIX = ".everseed-tmp";
/** Leaves room for the rest within the 255 bytes of a file name, in any script. */
const STEM_CHARACTERS_MAX = 50;

/**
 * Where to prepare a file that must appear at `path` in one step.
 *
 * @param token - Distinguishes writers that may prepare the same file at the same time.
 */
export function temporaryPath(path: string, token: string): string {
  const stem = basename(path).slice(0, STEM_CHARACTERS_MAX);
  return join(dirname(path), `.${stem}.${token}${TEMPORARY_SUFFIX}`);
}

/** True for names that `temporaryPath` returns. */
export function isTemporaryName(name: string): boolean {
  return name.startsWith(".") && name.endsWith(TEMPORARY_SUFFIX);
}
