import type { SwarmFigures } from "../../src/api/torrents.ts";
import { plural } from "./format.ts";
import type { Mood } from "./words.tsx";

/** The state of a torrent: one word for lists, a heading and a sentence for its own page. */
export interface Health {
  readonly mood: Mood;
  readonly word: string;
  readonly title: string;
  readonly sentence: string;
  /** What would make it whole again; null when it is whole. */
  readonly remedy: string | null;
}

/** The number of complete copies besides the hub's. */
export function othersWithAll(swarm: SwarmFigures): number {
  return Math.max(0, swarm.fault === null ? swarm.seeds - 1 : swarm.seeds);
}

export function judgeHealth(swarm: SwarmFigures): Health {
  const others = othersWithAll(swarm);
  if (swarm.fault === null) {
    return others === 0
      ? {
          mood: "good",
          word: "Kept here",
          title: "Kept by this hub, and nobody else yet",
          sentence:
            "This hub has all of it and keeps giving it. Everyone who leaves it open in a program helps the next one.",
          remedy: null,
        }
      : {
          mood: "good",
          word: "Healthy",
          title: "Kept by this hub",
          sentence: "This hub has all of it and keeps giving it.",
          remedy: null,
        };
  }
  if (others > 0) {
    return {
      mood: "warn",
      word: "Damaged here",
      title: "Damaged here, whole elsewhere",
      sentence: `${swarm.fault} A BitTorrent program still gets all of it, from ${plural(others, "other")} who ${others === 1 ? "has" : "have"} it.`,
      remedy:
        "This hub takes what it lacks from others as soon as they connect. Publishing the same files here again repairs it at once.",
    };
  }
  return {
    mood: "bad",
    word: "Damaged",
    title: "Not complete anywhere",
    sentence: `${swarm.fault} Nobody else has all of it at the moment.`,
    remedy:
      "Publishing the same files here again repairs it. So does anyone who still has all of them and opens this torrent in a program.",
  };
}

/** What the DHT counts, beyond the peers that the hub's own tracker knows. @returns `undefined` when nobody knows. */
export function dhtWords({ dht, fault }: SwarmFigures): string | undefined {
  if (dht === null) return undefined;
  const { seeds, leechers } = dht;
  if (seeds + leechers === 0) return "The DHT knows nobody who has it or takes it yet.";
  const included = fault === null ? " (this hub included)" : "";
  const who: string[] = [];
  if (seeds > 0) who.push(`${plural(seeds, "seed")}${included}`);
  if (leechers > 0) who.push(plural(leechers, "downloader"));
  return `The DHT counts about ${who.join(" and ")}.`;
}
