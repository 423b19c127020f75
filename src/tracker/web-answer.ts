import { encodeFailure } from "../announce/http-answer.ts";
import { parseTrackerPath } from "../announce/tracker-path.ts";
import { addressBytes } from "../base/endpoint.ts";
import type { OutsideFaults } from "../ports/outside-faults.ts";
import type { RequestContext } from "../ports/web.ts";
import type { HttpTracker } from "./http-tracker.ts";

/** The requester is behind a proxy that sends no `X-Forwarded-For`, or that the owner has not named. */
const ADDRESS_UNKNOWN =
  "this tracker does not know your address; its owner must configure the proxy";
/** Headers that a client's own request never carries. */
const PROXY_HEADERS = ["x-forwarded-for", "forwarded", "x-real-ip", "via"];

/**
 * Answers the announces and scrapes among the requests of a web site.
 *
 * @returns `undefined` when the request is neither.
 */
export function answerWeb(
  http: Pick<HttpTracker, "answer">,
  request: Request,
  context: RequestContext,
  faults: Pick<OutsideFaults, "count">,
): Response | Promise<Response> | undefined {
  // Cut out by hand, because `URL` would change some bytes.
  const target = request.url.replace(/^[a-z]+:\/\/[^/?#]*/i, "");
  if (!parseTrackerPath(target.replace(/\?.*$/s, ""))) return undefined;
  const address = addressBytes(context.remoteAddress);
  if (!address) return bencoded(200, encodeFailure(ADDRESS_UNKNOWN));
  const local = context.localAddress === undefined ? undefined : addressBytes(context.localAddress);
  const viaProxy = PROXY_HEADERS.some((name) => request.headers.has(name));
  const { status, body, later, refusal } = http.answer(target, { address, local, viaProxy });
  if (refusal !== undefined) {
    faults.count("bad-announce", { address: context.remoteAddress, why: refusal });
  }
  return later ? later.then((bytes) => bencoded(status, bytes)) : bencoded(status, body);
}

function bencoded(status: number, body: Uint8Array): Response {
  return new Response(new Uint8Array(body), {
    status,
    headers: {
      "content-type": "text/plain",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
  });
}
