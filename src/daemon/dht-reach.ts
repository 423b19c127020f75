import type { DhtReach } from "../api/reach.ts";
import type { CatalogueStatus } from "../dht/catalogue-announcer.ts";
import type { DhtStatus } from "../dht/dht.ts";
import type { Clock } from "../ports/clock.ts";

/** Nodes keep a peer about that long after it announced (BEP 5 names no time; this is what clients do). */
const KEPT_MS = 30 * 60_000;

type DhtNetworkReach = DhtReach["networks"][number];
type DhtCatalogueReach = NonNullable<DhtReach["catalogue"]>;

/** A DHT that does not run. */
export function absentDhtReach(
  state: "off" | "fails",
  words: string,
  remedy: string | null,
): DhtReach {
  return { state, words, remedy, port: null, networks: [], catalogue: null };
}

/** @param at.port - The UDP port. */
export function dhtReach(
  status: DhtStatus & { readonly catalogue: CatalogueStatus },
  at: { readonly port: number; readonly clock: Clock },
): DhtReach {
  const networks = status.families.map(({ family, good, isJoined, outer }) => ({
    family,
    nodes: good,
    joined: isJoined,
    outerAddress: outer ?? null,
  }));
  const catalogue = catalogueReach(status.catalogue, at.clock);
  const isReached = status.families.some((family) => family.isReached);
  return { ...wordsOf(networks, isReached, catalogue), port: at.port, networks, catalogue };
}

function catalogueReach(status: CatalogueStatus, clock: Clock): DhtCatalogueReach {
  const { infohashes, announced, roundMs, lastRoundMs } = status;
  const lastRound =
    lastRoundMs === undefined ? null : new Date(clock.wallMs() - clock.nowMs() + lastRoundMs);
  return {
    infohashes,
    announced,
    roundSeconds: Math.round(roundMs / 1000),
    lastRoundAt: lastRound?.toISOString() ?? null,
  };
}

function wordsOf(
  networks: readonly DhtNetworkReach[],
  isReached: boolean,
  { infohashes, announced, roundSeconds }: DhtCatalogueReach,
): Pick<DhtReach, "state" | "words" | "remedy"> {
  const joined = networks.filter((network) => network.joined);
  if (isReached && joined.length === 0) {
    return {
      state: "waits",
      words: "The first DHT nodes have answered; those near this one are looked for.",
      remedy: null,
    };
  }
  if (joined.length === 0) {
    return {
      state: "waits",
      words: "No DHT node has answered yet.",
      remedy:
        "If this lasts for minutes, let the firewall pass UDP from and to the port for peers.",
    };
  }
  const counts = joined.map(({ family, nodes }) => `${nodes} over IPv${family}`).join(", ");
  const nodes = `DHT nodes that answer: ${counts}.`;
  const told = `The DHT has ${announced} of ${infohashes} infohashes.`;
  if (roundSeconds * 1000 <= KEPT_MS) {
    return { state: "works", words: `${nodes} ${told}`, remedy: null };
  }
  const minutes = Math.round(roundSeconds / 60);
  return {
    state: "warns",
    words: `${nodes} ${told} Announcing all of them takes ${minutes} minutes, and nodes forget one after 30.`,
    remedy: "A larger discovery.dhtQueriesPerSecond makes that faster.",
  };
}
