/** Connections to one server, of all torrents together. */
const LINES_PER_SERVER_MAX = 8;
/** While a server has this many, no torrent gets a second one to it. */
const LINES_PER_SERVER_SHARED = 4;
/** Connections to all servers. */
const LINES_MAX = 64;

/** The connections that each web server is allowed: a session's torrents share each server's patience. */
export class ServerSlots {
  readonly #lines = new Map<string, number>();
  #count = 0;

  /**
   * @param url - Of the web seed; its server is the origin.
   * @param isSecond - The torrent has a connection to this server already.
   * @returns Whether one more connection may be opened; `give` it back.
   */
  take(url: string, isSecond: boolean): boolean {
    const server = serverOf(url);
    const lines = this.#lines.get(server) ?? 0;
    const max = isSecond ? LINES_PER_SERVER_SHARED : LINES_PER_SERVER_MAX;
    if (lines >= max || this.#count >= LINES_MAX) return false;
    this.#lines.set(server, lines + 1);
    this.#count += 1;
    return true;
  }

  give(url: string): void {
    const server = serverOf(url);
    const lines = (this.#lines.get(server) ?? 0) - 1;
    if (lines > 0) this.#lines.set(server, lines);
    else this.#lines.delete(server);
    this.#count -= 1;
  }
}

function serverOf(url: string): string {
  return URL.parse(url)?.origin ?? url;
}
