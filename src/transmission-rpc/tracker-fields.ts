import type { TransferTrackers } from "../transfers/transfer-details.ts";
import type { TransferTracker } from "../transfers/transfer-engine.ts";

/** A tracker of a transfer. Its number is its place in the list as it is now. */
export interface NumberedTracker {
  readonly id: number;
  readonly tier: number;
  readonly announce: string;
}

export function numberedTrackers(tiers: TransferTrackers["tiers"]): NumberedTracker[] {
  const all = tiers.flatMap((urls, tier) => urls.map((announce) => ({ tier, announce })));
  return all.map((tracker, id) => ({ id, ...tracker }));
}

/** The field `trackers`. */
export function trackersField({ tiers }: TransferTrackers): object[] {
  return numberedTrackers(tiers).map((tracker) => ({
    ...tracker,
    scrape: scrapeUrl(tracker.announce),
    sitename: siteName(tracker.announce),
  }));
}

/** The field `trackerList`: a URL a line, and an empty line between tiers. */
export function trackerListField({ tiers }: TransferTrackers): string {
  return tiers.map((urls) => `${urls.join("\n")}\n`).join("\n");
}

/** The numbers of `announceState`. */
const ANNOUNCE: Readonly<Record<TransferTracker["state"], number>> = {
  idle: 0,
  failing: 1,
  working: 1,
  announcing: 3,
};

/** The field `trackerStats`. What is not measured here is -1 for numbers, and never for times. */
export function trackerStatsField({ tiers, status }: TransferTrackers, wallMs: number): object[] {
  const left = [...status];
  return numberedTrackers(tiers).map(({ id, tier, announce }) => {
    const name = originOf(announce);
    const index = left.findIndex((one) => one.name === name);
    const [told] = index < 0 ? [] : left.splice(index, 1);
    const hasAnnounced = told?.state === "working" || told?.state === "failing";
    const { nextAnnounceInMs: nextMs, announcedAgoMs: agoMs } = told ?? {};
    const announcedAt = agoMs === undefined ? 0 : Math.round((wallMs - agoMs) / 1_000);
    return {
      id,
      tier,
      announce,
      scrape: scrapeUrl(announce),
      host: name,
      sitename: siteName(announce),
      announceState: told ? ANNOUNCE[told.state] : ANNOUNCE.idle,
      hasAnnounced,
      lastAnnounceSucceeded: told?.state === "working",
      lastAnnounceTimedOut: false,
      lastAnnounceResult: told?.message ?? (told?.state === "working" ? "Success" : ""),
      lastAnnouncePeerCount: told?.peersGiven ?? 0,
      // The time that an announce takes is not kept.
      lastAnnounceStartTime: announcedAt,
      lastAnnounceTime: announcedAt,
      nextAnnounceTime: nextMs === undefined ? 0 : Math.round((wallMs + nextMs) / 1_000),
      isBackup: false,
      seederCount: told?.seeds ?? -1,
      leecherCount: told?.leechers ?? -1,
      downloadCount: -1,
      // Trackers tell the sizes of swarms with their answers, so nobody asks for them.
      scrapeState: 0,
      hasScraped: false,
      lastScrapeResult: "",
      lastScrapeStartTime: 0,
      lastScrapeSucceeded: false,
      lastScrapeTime: 0,
      lastScrapeTimedOut: false,
      nextScrapeTime: 0,
    };
  });
}

/** What the trackers say when all of them fail; `undefined` otherwise. */
export function trackerTrouble({ status }: TransferTrackers): string | undefined {
  if (status.length === 0 || status.some(({ state }) => state !== "failing")) return undefined;
  const [{ name, message }] = status as [TransferTracker];
  return `${name}: ${message ?? "no answer"}`;
}

/** As trackers are named to people: without the path, which may hold a passkey. */
function originOf(url: string): string {
  if (!URL.canParse(url)) return url;
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}

/** BEP 48: the last part of the path begins with "announce". */
function scrapeUrl(url: string): string {
  const [, before, rest] = /^(https?:.*\/)announce([^/]*)$/i.exec(url) ?? [];
  if (before === undefined) return url.startsWith("udp:") ? url : "";
  return `${before}scrape${rest}`;
}

/** The name of a site without its top-level domain: `example` for `tracker.example.org`. */
function siteName(url: string): string {
  if (!URL.canParse(url)) return "";
  const { hostname } = new URL(url);
  if (/^[[0-9.]/.test(hostname)) return hostname;
  const labels = hostname.split(".");
  return labels.at(-2) ?? hostname;
}
