import { SITE_SHARES, siteOf } from "./address-line.ts";

/**
 * Counts what each line holds of something limited, and what all lines of an IPv6 site hold together: somebody with a
 * /48 counts for no more than `SITE_SHARES` addresses (TRK-23).
 */
export class LineLoads {
  readonly #lines = new Map<string, number>();
  readonly #sites = new Map<string, number>();

  /** @param line - From `lineOf`. */
  add(line: string): void {
    change(this.#lines, line, 1);
    const site = siteOf(line);
    if (site !== undefined) change(this.#sites, site, 1);
  }

  /** @param line - It was added before. */
  remove(line: string): void {
    change(this.#lines, line, -1);
    const site = siteOf(line);
    if (site !== undefined) change(this.#sites, site, -1);
  }

  /**
   * @returns The number that counts for this line: its own, or its site's number divided by the shares of a site,
   *   whichever is larger. It need not be whole.
   */
  of(line: string): number {
    const own = this.#lines.get(line) ?? 0;
    const site = siteOf(line);
    return site === undefined ? own : Math.max(own, (this.#sites.get(site) ?? 0) / SITE_SHARES);
  }

  /** Lines and sites that hold something. */
  get size(): number {
    return this.#lines.size + this.#sites.size;
  }
}

function change(counts: Map<string, number>, key: string, by: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
