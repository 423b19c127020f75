import type { DhtStatus } from "../dht/dht.ts";

/** How a hub's DHT is doing: the state and words of `api/reach.ts`, and figures. */
export interface DhtReach {
  readonly state: "works" | "waits" | "warns" | "fails" | "off";
  readonly words: string;
  /** What a person can do about it; null when there is nothing to do. */
  readonly remedy: string | null;
  /** The UDP port; null when it is off. */
  readonly port: number | null;
  /** IPv4 and IPv6 are two networks (BEP 32). */
  readonly networks: readonly DhtNetworkReach[];
}

export interface DhtNetworkReach {
  readonly family: 4 | 6;
  /** Nodes that answered lately. */
  readonly nodes: number;
  readonly joined: boolean;
  /** Our address as others see it; null while it is not known. */
  readonly outerAddress: string | null;
}

/** A DHT that does not run. */
export function absentDhtReach(
  state: "off" | "fails",
  words: string,
  remedy: string | null,
): DhtReach {
  return { state, words, remedy, port: null, networks: [] };
}

export function dhtReach(status: DhtStatus, port: number): DhtReach {
  const networks = status.families.map(({ family, good, isJoined, outer }) => ({
    family,
    nodes: good,
    joined: isJoined,
    outerAddress: outer ?? null,
  }));
  const joined = networks.filter((network) => network.joined);
  if (joined.length === 0) {
    const words = "No DHT node has answered yet.";
    const remedy =
      "If this lasts for minutes, let the firewall pass UDP from and to the port for peers.";
    return { state: "waits", words, remedy, port, networks };
  }
  const counts = joined.map(({ family, nodes }) => `${nodes} over IPv${family}`).join(", ");
  return {
    state: "works",
    words: `DHT nodes that answer: ${counts}.`,
    remedy: null,
    port,
    networks,
  };
}
