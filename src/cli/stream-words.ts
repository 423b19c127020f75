import type { Connected, SourceCount, StreamCount } from "../commands/stream-news.ts";
import type { GetEvent } from "../commands/get-options.ts";

const TRANSPORTS: Readonly<Record<StreamCount["transport"], string>> = {
  tcp: "TCP",
  utp: "uTP",
  webrtc: "WebRTC",
};

const ENCRYPTIONS: Readonly<Record<StreamCount["encryption"], string>> = {
  none: "plain",
  header: "with an encrypted start",
  rc4: "encrypted",
};

const SOURCES: Readonly<Record<SourceCount["source"], string>> = {
  manual: "named by you",
  magnet: "named by the magnet link",
  resume: "known from the last run",
  incoming: "came to us",
  tracker: "from trackers",
  dht: "from the DHT",
  pex: "from other peers",
  lsd: "in this network",
  webrtc: "from WebRTC trackers",
};

/** What the peers are connected over and where they came from, in words. */
export function connectedWords({ streams, sources }: Connected): string {
  if (streams.length === 0) return "No peer is connected.";
  const ways = streams.map(
    ({ transport, encryption, peers }) =>
      `${peers} over ${TRANSPORTS[transport]}, ${ENCRYPTIONS[encryption]}`,
  );
  const origins = sources.map(({ source, peers }) => `${peers} ${SOURCES[source]}`);
  return `Connected peers: ${ways.join("; ")}. Of these ${origins.join(", ")}.`;
}

type Slowness = NonNullable<Extract<GetEvent, { kind: "stats" }>["stats"]["slowness"]>;

/** Why a download is no faster, in words that fit into a line of progress. */
export const SLOWNESS_WORDS: Readonly<Record<Slowness, string>> = {
  "own-limit": "held back by the limit",
  disk: "waits for the disk",
  "nobody-known": "no peer is known",
  "nobody-reached": "no known peer answers",
  "nobody-has-it": "no peer has what is missing",
  "all-choke": "every peer makes us wait",
  peers: "as fast as its peers",
};
