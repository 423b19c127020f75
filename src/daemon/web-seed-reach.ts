import type { ReachPart } from "../api/reach.ts";

/** What decides whether a hub's torrents name its own web site as web seed. */
export interface WebSeedNaming {
  /** The setting. */
  readonly isWanted: boolean;
  /** Others than this machine reach the web site, as far as we know. */
  readonly isReachable: boolean;
  /** Sending to peers is limited. Downloads from the web site are not: they would use up the line that was to be spared. */
  readonly isLimited: boolean;
  readonly siteUrl: string;
}

export function namesItself({ isWanted, isReachable, isLimited }: WebSeedNaming): boolean {
  return isWanted && isReachable && !isLimited;
}

/** Whether torrents name the web site as web seed, in words. */
export function webSeedReach(naming: WebSeedNaming): ReachPart {
  const { isWanted, isReachable, siteUrl } = naming;
  if (namesItself(naming)) {
    const words = `Torrents name ${siteUrl} as a source of their files, beside peers.`;
    return { state: "works", words, remedy: null };
  }
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
  return {
    state: "off",
    words:
      "Sending to peers is limited, and downloads from the web site are not: torrents do not name it as a source.",
    remedy: "Without that limit they do.",
  };
}
