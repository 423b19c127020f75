import { addressBytes } from "../base/endpoint.ts";

/** The program's own name, for a machine without a name. */
const NAMELESS = "Everseed";
const CHARACTERS_MAX = 100;

/**
 * The default name of a site: its public host name, otherwise the machine's own name.
 *
 * @param publicUrl - The public address, when it was configured.
 */
export function defaultSiteName(publicUrl: string | undefined, systemName: string): string {
  const known = publicUrl === undefined ? "" : new URL(publicUrl).hostname;
  const names = [known, systemName].filter((name) => tellsSites(name));
  return (names[0] ?? NAMELESS).slice(0, CHARACTERS_MAX);
}

/** An address is not a name, and every machine calls itself localhost. */
function tellsSites(name: string): boolean {
  if (name === "" || addressBytes(name.replace(/^\[|\]$/g, "")) !== undefined) return false;
  return !/^localhost(\.|$)/i.test(name);
}
