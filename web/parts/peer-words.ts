import type { PeerEntry, Slowness } from "../../src/api/peers.ts";

/** Why a download is no faster. */
export const slownessWords: Readonly<Record<Slowness, string>> = {
  "own-limit": "held back by the limit",
  disk: "waits for the disk",
  "nobody-known": "no peer is known",
  "nobody-reached": "no known peer answers",
  "nobody-has-it": "no peer has what is missing",
  "all-choke": "every peer makes us wait",
  peers: "as fast as its peers",
};

export const transportWords: Readonly<Record<PeerEntry["transport"], string>> = {
  tcp: "TCP",
  utp: "uTP",
  webrtc: "WebRTC",
};

export const encryptionWords: Readonly<Record<PeerEntry["encryption"], string>> = {
  none: "plain",
  header: "encrypted start",
  rc4: "encrypted",
};

/** How we came to know a peer. */
export const sourceWords: Readonly<Record<PeerEntry["source"], string>> = {
  manual: "named by a person",
  magnet: "named by a magnet link",
  resume: "known from before",
  incoming: "came to us",
  tracker: "from a tracker",
  dht: "from the DHT",
  pex: "from another peer",
  lsd: "in this network",
  webrtc: "from a WebRTC tracker",
};
