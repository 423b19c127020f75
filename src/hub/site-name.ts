import { addressBytes } from "../base/endpoint.ts";

/** The program's own name, for a machine that has none. */
const NAMELESS = "Everseed";
const CHARACTERS_MAX = 100;

/**
 * What a site is called until somebody names it: its host name, as people know it from outside, else as the
 * machine calls itself.
 *
 * @param publicUrl - Where people reach it, when that was configured.
 */
export function defaultSiteName(publicUrl: string | undefined, systemName: string): string {
  const known = publicUrl === undefined ? "" : new URL(publicUrl).hostname;
  const names = [known, systemName].filter((name) => tellsSites(name));
  return (names[0] ?? NAMELESS).slice(0, CHARACTERS_MAX);
}

/** An address is no name, and every machine is localhost to itself. */
function tellsSites(name: string): boolean {
  if (name === "" || addressBytes(name.replace(/^\[|\]$/g, "")) !== undefined) return false;
  return !/^localhost(\.|$)/i.test(name);
}
