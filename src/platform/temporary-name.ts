import { basename, dirname, join } from "node:path";

/** Ends the names of files that are being prepared; what a crash leaves of them is no one's (STO-14). */
const TEMPORARY_SUFFIX = ".everseed-tmp";
/** Room for the rest within the 255 bytes of a file name, in any script. */
const STEM_CHARACTERS_MAX = 50;

/**
 * Where to prepare a file that is to appear at `path` in one step.
 *
 * @param token - Tells apart those who may prepare the same file at the same time.
 */
export function temporaryPath(path: string, token: string): string {
  const stem = basename(path).slice(0, STEM_CHARACTERS_MAX);
  return join(dirname(path), `.${stem}.${token}${TEMPORARY_SUFFIX}`);
}

/** True for the names that `temporaryPath` gives. */
export function isTemporaryName(name: string): boolean {
  return name.startsWith(".") && name.endsWith(TEMPORARY_SUFFIX);
}
