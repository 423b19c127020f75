/** Ends the names of files that are being prepared; what a crash leaves of them is no one's (STO-14). */
export const TEMPORARY_SUFFIX = ".everseed-tmp";

/** True for a name that only a crash can have left, when nothing of ours writes at the moment (STO-14). */
export function isTemporaryName(name: string): boolean {
  return name.startsWith(".") && name.endsWith(TEMPORARY_SUFFIX);
}
