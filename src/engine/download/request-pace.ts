import type { DownloadPeer } from "./download-peer.ts";

/** Blocks requested ahead, as time at the peer's rate. */
export const AHEAD_MS = 3000;
/**
 * The same while there are readers: urgent blocks then wait behind fewer others, and a seek plays within two seconds
 * on a line of 20 Mbit/s. The total is 0.5 % less.
 */
const AHEAD_MS_READ = 700;
/** But at least this many of the peer's round trips, or it would idle while a request is in transit. */
const AHEAD_ROUND_TRIPS = 2;
export const DEPTH_MIN = 4;
/** Weight of one block in the mean length of recent blocks. */
const BLOCK_BYTES_WEIGHT = 1 / 16;
/**
 * Blocks by which a window that still grows may exceed what the rate deserves. Blocks requested early from a slow seed
 * are wasted when others have them by then: a small slack saves the seed whole copies.
 */
const SLOW_START_SLACK = 16;
/** For peers that have not contributed a block to an intact piece yet (WIR-28). */
const STRANGER_DEPTH_MAX = 64;
/** A peer that owes us blocks and sends none for this long is snubbing us. */
const SNUB_MS = 20_000;
/** And for this long while a reader waits: readers do not wait for a silent peer. */
const SILENT_MS = 2000;
/**
 * The peer is closed when no byte arrived for this long, or when one block takes this long to arrive: no other peer may
 * send a block that is arriving, so a peer that trickles it holds up the piece (WIR-15). 16 KiB at 273 B/s.
 */
const SNUB_CLOSE_MS = 60_000;
/** Or when for this long it sends other messages and no block, without choking us. */
const OWING_CLOSE_MS = 180_000;

/** Blocks the peer may owe us. */
export function requestDepth(peer: DownloadPeer, isProven: boolean, queueMax: number): number {
  if (peer.snubbed) return 1;
  const depth = Math.min(peer.depth, peer.queueLimit, queueMax);
  return isProven ? depth : Math.min(depth, STRANGER_DEPTH_MAX);
}

/** The values that determine the pace. */
type Paced = Pick<DownloadPeer, "snubbed" | "slowStart" | "depth" | "blockBytes" | "rate">;

/** A block of this many bytes arrived: while the peer keeps up, it may owe us one more. */
export function growDepth(peer: Paced, length: number, queueMax: number): void {
  peer.blockBytes += (length - peer.blockBytes) * BLOCK_BYTES_WEIGHT;
  if (peer.snubbed) {
    peer.snubbed = false;
    peer.slowStart = true;
  }
  if (peer.slowStart && peer.depth < queueMax) peer.depth += 1;
}

/** A block that was requested while no other was outstanding begins to arrive. */
export function noteAnswer(peer: DownloadPeer): void {
  const tookMs = peer.blockBegunAtMs - peer.askedIdleAtMs;
  peer.askedIdleAtMs = -1;
  peer.roundTripMs = peer.roundTripMs === 0 ? tookMs : Math.min(peer.roundTripMs, tookMs);
}

/** How long our requests should keep the peer busy while there are readers. */
export function aheadMsRead(peer: Pick<DownloadPeer, "roundTripMs">): number {
  return Math.min(AHEAD_MS, Math.max(AHEAD_MS_READ, AHEAD_ROUND_TRIPS * peer.roundTripMs));
}

/** Follows the peer's rate, once the window has outgrown it. */
export function adjustDepth(peer: Paced, now: number, aheadMs: number): void {
  const rate = peer.rate.bytesPerSecond(now);
  // Pieces of small files are single blocks of a few bytes, in v2 and hybrids: counted as full blocks, almost
  // nothing would be in transit.
  const wanted = Math.ceil((rate * aheadMs) / 1000 / Math.max(1, peer.blockBytes));
  if (peer.slowStart && peer.depth > wanted * 1.5 + SLOW_START_SLACK) peer.slowStart = false;
  if (!peer.slowStart) peer.depth = Math.max(DEPTH_MIN, wanted);
}

/** The peer has owed us blocks for so long that we do not count on them. */
export function isLate(peer: DownloadPeer, now: number): boolean {
  return !peer.snubbed && now - peer.lastBlockAtMs > SNUB_MS;
}

/** The peer owes us blocks, and neither sent one lately nor is sending one now. */
export function isSilent(peer: DownloadPeer, now: number): boolean {
  const heardAtMs = peer.target ? peer.source.lastReceivedAtMs : peer.lastBlockAtMs;
  return peer.owed > 0 && now - heardAtMs >= SILENT_MS;
}

/** @returns The reason to close a peer that snubs us, or `undefined` while it may still recover. */
export function lateness(peer: DownloadPeer, now: number): string | undefined {
  if (!peer.snubbed) return undefined;
  if (now - peer.source.lastReceivedAtMs > SNUB_CLOSE_MS) return "owes blocks and sends nothing";
  if (peer.target && now - peer.blockBegunAtMs > SNUB_CLOSE_MS) {
    return "takes too long over one block";
  }
  if (!peer.isChoking && now - peer.lastBlockAtMs > OWING_CLOSE_MS) {
    return "owes blocks and sends only other things";
  }
  return undefined;
}
