import type { ReachPart } from "../api/reach.ts";

/** What a hub's torrents say of its own web site. */
export interface WebSeedNaming {
  /** The setting. */
  readonly isWanted: boolean;
  /** Others than this machine reach the web site, as far as we know. */
  readonly isReachable: boolean;
  readonly siteUrl: string;
}

/** Whether torrents name the web site as web seed, in words. */
export function webSeedReach({ isWanted, isReachable, siteUrl }: WebSeedNaming): ReachPart {
  if (!isWanted) {
    const words = "Torrents do not name the web site as a source of their files.";
    return { state: "off", words, remedy: null };
  }
  if (!isReachable) {
    return {
      state: "off",
      words: "Only this machine reaches the web site, so torrents do not name it as a source.",
      remedy: "Let the site listen where others reach it (host), or give its address (publicUrl).",
    };
  }
  const words = `Torrents name ${siteUrl} as a source of their files, beside peers.`;
  return { state: "works", words, remedy: null };
}
