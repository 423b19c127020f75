import type { Clock } from "../ports/clock.ts";

/** Figures on pages may be a second old; the live stream has the same interval. */
const FRESH_MS = 1_000;
const PAGES_MAX = 256;
/** Statuses that are the same for all strangers. Refusals concern one of them, or one moment. */
const KEPT: ReadonlySet<number> = new Set([200, 301, 404, 410]);

interface KeptPage {
  /** Never rejects; `undefined` when the answer is for the first request only. */
  readonly page: Promise<StoredPage | undefined>;
  readonly untilMs: number;
}

interface StoredPage {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/**
 * Caches pages as strangers see them, for a second: when a link is passed around, one rendering serves all requests
 * of that second. Signed-in people always get their own.
 */
export class PageCache {
  readonly #clock: Clock;
  /** In the order they were rendered. */
  readonly #pages = new Map<string, KeptPage>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Pages in the cache. */
  get size(): number {
    return this.#pages.size;
  }

  /**
   * @param render - Called when there is no fresh page; concurrent requests wait for one call. When its answer is for
   *   the first request only, or it fails, each of the others renders its own.
   */
  async serve(key: string, render: () => Promise<Response>): Promise<Response> {
    const now = this.#clock.nowMs();
    const known = this.#pages.get(key);
    if (known && known.untilMs > now) {
      const page = await known.page;
      return page ? asResponse(page) : render();
    }
    this.#pages.delete(key);
    this.#dropOld(now);
    const rendering = render();
    const kept = { page: rendering.then(store, () => undefined), untilMs: now + FRESH_MS };
    this.#pages.set(key, kept);
    const page = await kept.page;
    if (page) return asResponse(page);
    if (this.#pages.get(key) === kept) this.#pages.delete(key);
    return rendering;
  }

  #dropOld(now: number): void {
    for (const [key, { untilMs }] of this.#pages) {
      if (untilMs > now && this.#pages.size < PAGES_MAX) return;
      this.#pages.delete(key);
    }
  }
}

async function store(response: Response): Promise<StoredPage | undefined> {
  const { status, headers } = response;
  if (!KEPT.has(status) || headers.has("set-cookie")) return undefined;
  return { status, headers, text: await response.text() };
}

function asResponse({ status, headers, text }: StoredPage): Response {
  return new Response(text, { status, headers: new Headers(headers) });
}

/**
 * True for requests whose answer is the same for every stranger.
 *
 * @param path - Of the catalogue or of a torrent; .torrent files and downloads are not pages.
 */
export function isStrangersPage(request: Request, path: string): boolean {
  if (request.method !== "GET" || !/^\/(?:search|help)?$|^\/t\/[0-9a-z]+\/[^/]*$/.test(path))
    return false;
  return PERSONAL_HEADERS.every((name) => !request.headers.has(name));
}

/**
 * The request that a page for all strangers is rendered from. Nothing but the address is taken from it, so one
 * stranger cannot change the page of the others.
 */
export function strangersRequest(request: Request): Request {
  return new Request(request.url, { headers: { host: request.headers.get("host") ?? "" } });
}

/** A request with one of these headers gets an answer of its own. */
const PERSONAL_HEADERS = ["cookie", "authorization", "content-encoding"];
