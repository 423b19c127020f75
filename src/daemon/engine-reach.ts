import type { ReachPart, ReachParts } from "../api/reach.ts";
import { REACH } from "../base/address-reach.ts";
import type { EncryptionMode } from "../base/encryption-mode.ts";
import { isLoopback } from "../base/host-name.ts";
import { isoTime } from "../base/iso-time.ts";
import { ipOf, type PeerAddress, type TransportKind } from "../base/peer-address.ts";
import type { Session } from "../engine/session.ts";
import type { OwnNetworks } from "../guard/own-networks.ts";
import type { Clock } from "../ports/clock.ts";

/** Remembers whether peers from outside our own networks have reached the port for peers. */
export class OutsideCalls {
  readonly #networks: OwnNetworks;
  readonly #clock: Clock;
  /** Wall-clock milliseconds. */
  #lastMs: number | undefined;

  constructor(networks: OwnNetworks, clock: Clock) {
    this.#networks = networks;
    this.#clock = clock;
  }

  get lastMs(): number | undefined {
    return this.#lastMs;
  }

  /** A peer has dialled us. */
  handleCall(remote: PeerAddress): void {
    const address = ipOf(remote);
    if (address === undefined || this.#networks.reachOf(address) !== REACH.world) return;
    this.#lastMs = this.#clock.wallMs();
  }
}

export interface EngineReachOptions {
  readonly session: Pick<Session, "port" | "ports" | "settings" | "torrents">;
  /** Where the session listens. */
  readonly host: string;
  readonly encryption: () => EncryptionMode;
  readonly calls: OutsideCalls;
}

/** The state of the everseed's port, its transports and their encryption. */
export function engineReach(
  options: EngineReachOptions,
): Pick<ReachParts, "port" | "transports" | "encryption"> {
  const { session, host, calls } = options;
  const sides = { tcp: { incoming: 0, outgoing: 0 }, utp: { incoming: 0, outgoing: 0 } };
  const streams = { plain: 0, header: 0, rc4: 0 };
  let connections = 0;
  for (const torrent of session.torrents()) {
    for (const { remote, incoming, encryption } of torrent.peers()) {
      connections += 1;
      streams[encryption ?? "plain"] += 1;
      if (remote.kind !== "webrtc") sides[remote.kind][incoming ? "incoming" : "outgoing"] += 1;
    }
  }
  const kinds = session.ports.transports.map(({ kind }) => kind);
  const { lastMs } = calls;
  return {
    port: {
      ...portWords({ host, port: session.port, isReached: lastMs !== undefined }),
      host,
      port: session.port,
      connections,
      connectionsMax: session.settings.connectionsMax,
      reachedAt: lastMs === undefined ? null : isoTime(lastMs),
    },
    transports: {
      state: "works",
      words: `Peers connect over ${kinds.map((kind) => TRANSPORT_NAMES[kind]).join(" and ")}.`,
      remedy: null,
      ...(kinds.includes("tcp") && { tcp: sides.tcp }),
      ...(kinds.includes("utp") && { utp: sides.utp }),
    },
    encryption: { ...ENCRYPTION_WORDS[options.encryption()], ...streams },
  };
}

const TRANSPORT_NAMES: Readonly<Record<TransportKind, string>> = {
  tcp: "TCP",
  utp: "uTP",
  webrtc: "WebRTC",
};

function portWords(of: {
  readonly host: string;
  readonly port: number;
  readonly isReached: boolean;
}): ReachPart {
  if (isLoopback(of.host) || of.host === "localhost") {
    return {
      state: "warns",
      words: `Only programs on this machine reach the port for peers: it listens on ${of.host}.`,
      remedy: "The key engine.host lets others in: 0.0.0.0 is everybody.",
    };
  }
  if (of.isReached) {
    return { state: "works", words: `Peers outside reach port ${of.port}.`, remedy: null };
  }
  return {
    state: "waits",
    words: `Port ${of.port} is open on this machine. Nobody outside has connected to it since the start.`,
    remedy: `Behind a router or firewall, let it pass on port ${of.port}, TCP and UDP, to this machine.`,
  };
}

const ENCRYPTION_WORDS: Readonly<Record<EncryptionMode, ReachPart>> = {
  prefer: {
    state: "works",
    words: "Streams to peers are encrypted where the peer can.",
    remedy: null,
  },
  require: {
    state: "works",
    words: "Every stream to peers is encrypted. Peers that cannot do so are refused.",
    remedy: null,
  },
  off: { state: "off", words: "Streams to peers are plain.", remedy: null },
};
