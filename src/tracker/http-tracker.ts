import { AnnounceAnswer, ANSWER_PEERS_MAX } from "../announce/announce-answer.ts";
import { AnnounceError } from "../announce/announce-error.ts";
import { AnnounceRequest } from "../announce/announce-request.ts";
import { type Credential, joinCredentials } from "../announce/credential.ts";
import {
  type AnswerPolicy,
  encodeFailure,
  HTTP_ANSWER_BYTES_MAX,
  HttpAnswerEncoder,
} from "../announce/http-answer.ts";
import { parseAnnounceQuery } from "../announce/http-request.ts";
import { encodeScrapeReply, parseScrapeQuery, type ScrapeEntry } from "../announce/http-scrape.ts";
import { QUERY_BYTES_MAX } from "../announce/query.ts";
import { ReplyWriter } from "../announce/reply-writer.ts";
import { parseTrackerPath } from "../announce/tracker-path.ts";
import { fromLatin1 } from "../base/bytes.ts";
import type { FullScrape } from "./full-scrape.ts";
import type { Refusal } from "./refusal.ts";
import type { Asker, Tracker } from "./tracker.ts";

export interface HttpTrackerReply {
  readonly status: 200 | 403 | 404 | 414 | 429;
  /** Sent as `text/plain`, as is customary (PUB-3.5). */
  readonly body: Uint8Array;
  /** A full scrape is made in turns with other work: its body, in place of `body`, comes later. */
  readonly later?: Promise<Uint8Array>;
  /** The reason of a refusal; `undefined` when the request was answered. */
  readonly refusal?: string;
}

const NOTHING_YET = new Uint8Array(0);
const NOT_FOUND = "this is neither an announce nor a scrape";
const TOO_FAST = "too many requests from your address, wait a moment";
const NO_FULL_SCRAPE = "a scrape must name its torrents with info_hash";

interface Asked {
  readonly asker: Asker;
  /** The credential in the path. */
  readonly shown: Credential | undefined;
}

/** Answers announces and scrapes over HTTP: path and query in, bytes out. Holds no socket. */
export class HttpTracker {
  readonly #tracker: Tracker;
  readonly #policy: AnswerPolicy;
  readonly #fullScrape: FullScrape | undefined;
  readonly #encoder: HttpAnswerEncoder;
  // Announces are answered one at a time, so they share one of each.
  readonly #request = new AnnounceRequest();
  readonly #answer = new AnnounceAnswer();
  readonly #writer = new ReplyWriter(HTTP_ANSWER_BYTES_MAX);

  /** @param fullScrape - Without it, a scrape must name its torrents. */
  constructor(tracker: Tracker, policy: AnswerPolicy, fullScrape?: FullScrape) {
    this.#tracker = tracker;
    this.#policy = policy;
    this.#fullScrape = fullScrape;
    this.#encoder = new HttpAnswerEncoder(policy);
  }

  /**
   * Answers one GET. Refusals have status 200 and a failure reason, because clients show people
   * nothing else.
   *
   * @param target - Path and query as they came, undecoded.
   */
  answer(target: string, asker: Asker): HttpTrackerReply {
    const mark = target.indexOf("?");
    const path = mark < 0 ? target : target.slice(0, mark);
    const query = mark < 0 ? "" : target.slice(mark + 1);
    if (target.length > QUERY_BYTES_MAX) return failure(414, "the URL is too long");
    if (!this.#tracker.takeTurn(asker.address)) return failure(429, TOO_FAST);
    const input = fromLatin1(query);
    const range = { start: 0, end: input.length };
    try {
      const place = parseTrackerPath(path);
      switch (place?.act) {
        case "announce":
          return this.#announce(input, range, { asker, shown: place.credential });
        case "scrape":
          return this.#scrape(input, range, { asker, shown: place.credential });
        case undefined:
          return failure(404, NOT_FOUND);
      }
    } catch (error) {
      if (!(error instanceof AnnounceError)) throw error;
      return failure(200, error.reason);
    }
  }

  #announce(
    input: Uint8Array,
    range: { readonly start: number; readonly end: number },
    { asker, shown }: Asked,
  ): HttpTrackerReply {
    const request = this.#request;
    parseAnnounceQuery(input, range, request);
    request.credential = joinCredentials(shown, request.credential);
    const claimed = asker.viaProxy ? "" : request.claimedAddress;
    const address = this.#tracker.believed(claimed, asker.address);
    const refusal = this.#tracker.announce(
      request,
      { address, local: asker.local },
      ANSWER_PEERS_MAX,
      this.#answer,
    );
    if (refusal) return refused(refusal);
    this.#encoder.write(this.#writer, request, this.#answer, asker.address);
    return { status: 200, body: this.#writer.take() };
  }

  #scrape(
    input: Uint8Array,
    range: { readonly start: number; readonly end: number },
    { asker, shown }: Asked,
  ): HttpTrackerReply {
    const { infohashes, credential } = parseScrapeQuery(input, range);
    const principal = this.#tracker.identify(joinCredentials(shown, credential));
    if ("reason" in principal) return refused(principal);
    if (infohashes.length === 0) {
      // A full scrape is a large answer to a small question (TRK-7).
      if (!this.#fullScrape) return failure(200, NO_FULL_SCRAPE);
      return { status: 200, body: NOTHING_YET, later: this.#fullScrape.answer() };
    }
    const entries: ScrapeEntry[] = [];
    for (const infohash of infohashes) {
      const counts = this.#tracker.scrape(infohash, principal, asker.address);
      if (counts) entries.push({ infohash, ...counts });
    }
    return { status: 200, body: encodeScrapeReply(entries, this.#policy.minIntervalS) };
  }
}

function refused({ reason, forbidden }: Refusal): HttpTrackerReply {
  return failure(forbidden ? 403 : 200, reason);
}

function failure(status: HttpTrackerReply["status"], reason: string): HttpTrackerReply {
  return { status, body: encodeFailure(reason), refusal: reason };
}
