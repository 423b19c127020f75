import type { StreamCount } from "../commands/stream-news.ts";

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

/** What the peers are connected over, in words. */
export function streamWords(streams: readonly StreamCount[]): string {
  if (streams.length === 0) return "No peer is connected.";
  const parts = streams.map(
    ({ transport, encryption, peers }) =>
      `${peers} over ${TRANSPORTS[transport]}, ${ENCRYPTIONS[encryption]}`,
  );
  return `Connected peers: ${parts.join("; ")}.`;
}
