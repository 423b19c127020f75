import { AnnounceError } from "../announce/announce-error.ts";
import type { OutgoingAnnounce } from "../announce/announce-request.ts";
import { decodeHttpReply, REPLY_BYTES_MAX } from "../announce/http-reply.ts";
import { announceUrl } from "../announce/http-request.ts";
import type { HttpFetch, HttpReply } from "../ports/net.ts";
import { AnnounceSlots } from "./announce-slots.ts";
import type { AnnounceBy, AnnounceOutcome, Announcer } from "./announce-outcome.ts";

const TIMEOUT_MS = 15_000;
/** Connections at one time, for all torrents together. */
const UNDER_WAY_MAX = 50;
const STATUS_OK = 200;

/** Announces over HTTP and HTTPS (BEP 3). */
export class HttpAnnouncer implements Announcer {
  readonly #http: HttpFetch;
  readonly #slots = new AnnounceSlots(UNDER_WAY_MAX);

  constructor(http: HttpFetch) {
    this.#http = http;
  }

  async announce(
    trackerUrl: string,
    announce: OutgoingAnnounce,
    { torrent, family, signal }: AnnounceBy,
  ): Promise<AnnounceOutcome> {
    let reply: HttpReply | undefined;
    try {
      reply = await this.#slots.run({ torrent, signal }, () =>
        this.#http.get(announceUrl(trackerUrl, announce), {
          timeoutMs: TIMEOUT_MS,
          bytesMax: REPLY_BYTES_MAX,
          family,
          signal,
        }),
      );
    } catch (error) {
      return { kind: "unreachable", message: error instanceof Error ? error.message : "no reply" };
    }
    return reply ? readReply(reply) : { kind: "unreachable", message: "given up" };
  }
}

/** Some trackers refuse with an HTTP error status and still explain why in the body. */
function readReply({ status, body, from }: HttpReply): AnnounceOutcome {
  try {
    const outcome = decodeHttpReply(body);
    if (outcome.kind === "failure") return outcome;
    if (status === STATUS_OK) return { ...outcome, from };
  } catch (error) {
    if (!(error instanceof AnnounceError)) throw error;
    if (status === STATUS_OK) return { kind: "unreachable", message: error.reason };
  }
  return { kind: "unreachable", message: `the tracker answered with HTTP status ${status}` };
}
