import { type Finding, fine, judgeClock, judgeClockAlone, warns } from "../commands/health.ts";
import { NodeClock } from "../platform/node-clock.ts";
import { NodeRandom } from "../platform/node-random.ts";
import type { HttpFetch } from "../ports/net.ts";
import type { AnnounceOutcome } from "../tracker-client/announce-outcome.ts";
import { HttpAnnouncer } from "../tracker-client/http-announcer.ts";
import { UdpAnnouncer } from "../tracker-client/udp-announcer.ts";
import type { NetworkWays } from "./network.ts";

/** Of one tracker. Somebody waits for the answer. */
const TRACKER_MS_MAX = 6_000;
/** One of each kind and operator says enough. */
export const TRACKERS_MAX = 8;

/**
 * Asks trackers for a torrent that nobody has, and learns from their answers what time it is. They hear that we leave it, so
 * that nobody is told of us.
 *
 * @param network - The way that the node takes, too.
 */
export async function examineTrackers(
  urls: readonly string[],
  network: Pick<NetworkWays, "makeFetch" | "datagrams" | "refusalOf">,
  signal: AbortSignal,
): Promise<Finding[]> {
  const clock = new NodeClock();
  const random = new NodeRandom();
  const times = new Map<string, number>();
  // The person named these trackers, or added their torrents: where they are is not judged here.
  const plain = network.makeFetch({ judge: ({ addresses }) => addresses, lenient: true });
  const http: HttpFetch = {
    async get(url, limits) {
      const reply = await plain.get(url, limits);
      const told = Date.parse(reply.date ?? "");
      if (!Number.isNaN(told)) times.set(originOf(url), clock.wallMs() - told);
      return reply;
    },
  };
  const overHttp = new HttpAnnouncer(http);
  const overUdp = new UdpAnnouncer({ clock, random, ...network });
  const announce: Parameters<HttpAnnouncer["announce"]>[1] = {
    infohash: random.bytes(20),
    peerId: random.bytes(20),
    port: 1,
    uploaded: 0,
    downloaded: 0,
    left: 1,
    event: "stopped",
    numwant: 0,
    key: random.below(2 ** 32),
  };
  const ask = async (url: string): Promise<Finding> => {
    const late = AbortSignal.any([signal, AbortSignal.timeout(TRACKER_MS_MAX)]);
    const announcer = url.startsWith("udp:") ? overUdp : overHttp;
    const by = { signal: late, torrent: {} };
    const first = await announcer.announce(url, announce, { ...by, family: 4 });
    const isAway = first.kind === "unreachable" && !late.aborted;
    return findingOf(
      url,
      isAway ? await announcer.announce(url, announce, { ...by, family: 6 }) : first,
    );
  };
  try {
    const asked = urls.filter((url) => /^(?:https?|udp):/i.test(url)).slice(0, TRACKERS_MAX);
    const found = await Promise.all(asked.map(ask));
    signal.throwIfAborted();
    const [heard] = times;
    const time = heard
      ? judgeClock(heard[0], heard[1], clock.wallMs())
      : judgeClockAlone(clock.wallMs());
    return [time, ...found];
  } finally {
    overUdp.close();
  }
}

function findingOf(url: string, outcome: AnnounceOutcome): Finding {
  const name = originOf(url);
  if (outcome.kind === "unreachable") {
    return warns(
      "tracker",
      `The tracker ${name} does not answer: ${outcome.message}.`,
      "wait for it, or everseed trackers ID --remove URL; others and the DHT find peers too",
    );
  }
  // It knows only what is registered with it: that it says so is an answer.
  return fine("tracker", `The tracker ${name} answers.`);
}

/** Without the path, where passkeys are. */
function originOf(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}
