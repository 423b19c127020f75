import type { Clock } from "../ports/clock.ts";

/** Figures on pages are "now"; a second is what the live stream takes too. */
const FRESH_MS = 1_000;
const PAGES_MAX = 256;
const FLEETING: ReadonlySet<number> = new Set([429, 503]);

interface KeptPage {
  readonly page: Promise<StoredPage>;
  readonly untilMs: number;
}

interface StoredPage {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/**
 * Pages as strangers see them, kept for a second: when a link is passed around, one rendering serves all
 * who come in that second. People who are signed in always get their own.
 */
export class PageCache {
  readonly #clock: Clock;
  readonly #pages = new Map<string, KeptPage>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param render - Called when there is no fresh page; several who ask at the same time wait for one. */
  async serve(key: string, render: () => Promise<Response>): Promise<Response> {
    const now = this.#clock.nowMs();
    let kept = this.#pages.get(key);
    if (!kept || kept.untilMs <= now) {
      this.#dropOld(now);
      kept = { page: render().then(store), untilMs: now + FRESH_MS };
      this.#pages.set(key, kept);
    }
    const { status, headers, text } = await kept.page;
    // Said to one of them, or of this moment.
    if (FLEETING.has(status) && this.#pages.get(key) === kept) this.#pages.delete(key);
    return new Response(text, { status, headers: new Headers(headers) });
  }

  #dropOld(now: number): void {
    for (const [key, { untilMs }] of this.#pages) {
      if (untilMs > now && this.#pages.size < PAGES_MAX) return;
      this.#pages.delete(key);
    }
  }
}

async function store(response: Response): Promise<StoredPage> {
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/**
 * True for requests whose answer is the same for every stranger.
 *
 * @param path - Of the catalogue or of a torrent; .torrent files and downloads are no pages.
 */
export function isStrangersPage(request: Request, path: string): boolean {
  if (request.method !== "GET" || !/^\/(?:search|help)?$|^\/t\/[0-9a-z]+\/[^/]*$/.test(path))
    return false;
  const { headers } = request;
  return headers.get("cookie") === null && headers.get("authorization") === null;
}
