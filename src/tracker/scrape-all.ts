import type { ScrapeCounts, ScrapeEntry } from "../announce/http-scrape.ts";
import type { Work } from "../base/work.ts";
import { wordsOf } from "./swarm-numbers.ts";
import { NO_SWARM, type SwarmStore } from "./swarms.ts";
import type { TorrentDirectory } from "./torrent-directory.ts";

/** Swarms that are looked at before other work gets a turn; scraping one counts as many looks. */
const LOOKS_PER_STEP = 4_096;
const LOOKS_OF_SCRAPE = 16;

export interface ScrapedTorrents {
  readonly swarms: Pick<SwarmStore, "swarmsEnd" | "isOpen" | "infohashes" | "find">;
  readonly directory: Pick<TorrentDirectory, "some">;
  /** Whether anybody may know of an open swarm. */
  readonly isTracked: (swarm: number) => boolean;
  readonly scrape: (infohash: Uint8Array) => ScrapeCounts | undefined;
}

/**
 * Scrapes up to `torrentsMax` torrents, each under its first infohash; those with peers come first. A torrent that comes
 * or goes between two steps may be missing, or be there twice.
 */
export function* scrapeAll(
  { swarms, directory, isTracked, scrape }: ScrapedTorrents,
  torrentsMax: number,
): Work<ScrapeEntry[]> {
  const entries: ScrapeEntry[] = [];
  let looked = 0;
  const add = (infohash: Uint8Array): void => {
    const counts = scrape(infohash);
    if (counts) entries.push({ infohash, ...counts });
    looked += LOOKS_OF_SCRAPE;
  };
  for (let swarm = 0; swarm < swarms.swarmsEnd && entries.length < torrentsMax; swarm += 1) {
    if (looked >= LOOKS_PER_STEP) {
      yield;
      looked = 0;
    }
    looked += 1;
    if (swarms.isOpen(swarm) && isTracked(swarm)) add(swarms.infohashes(swarm)[0]!);
  }
  yield;
  for (const infohashes of directory.some(torrentsMax)) {
    if (looked >= LOOKS_PER_STEP) {
      yield;
      looked = 0;
    }
    if (entries.length >= torrentsMax) break;
    looked += 1;
    if (infohashes.every((each) => swarms.find(wordsOf(each)) === NO_SWARM)) add(infohashes[0]!);
  }
  return entries;
}
