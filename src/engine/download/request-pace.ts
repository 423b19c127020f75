import type { DownloadPeer } from "./download-peer.ts";

/** Blocks asked ahead, in time at the peer's rate (sheet 12). */
export const AHEAD_MS = 3000;
/** While somebody reads: what is needed soon waits behind less. With half of it the total falls by 3 %. */
const AHEAD_MS_READ = 1000;
/** But by so many of the peer's round trips, or it would idle while a request is on its way. */
const AHEAD_ROUND_TRIPS = 2;
export const DEPTH_MIN = 4;
/** Of a block, in the mean length of those that came lately. */
const BLOCK_BYTES_WEIGHT = 1 / 16;
/**
 * Blocks by which a window that still grows may exceed what the rate deserves. What is asked of a slow seed
 * early is asked of it for nothing when others have it by then: little slack saves it whole copies.
 */
const SLOW_START_SLACK = 16;
/** For peers none of whose blocks has been part of an intact piece yet (WIR-28). */
const STRANGER_DEPTH_MAX = 64;
/** A peer that owes us blocks and sends none for so long is snubbing us (sheet 12). */
const SNUB_MS = 20_000;
/** And for so long: a reader does not wait for it. */
const SILENT_MS = 2000;
/**
 * And closed when not a byte has come for so long, or when one block takes so long to arrive: nobody else
 * may send a block that is arriving, so who trickles it holds up the piece (WIR-15). 16 KiB at 273 B/s.
 */
const SNUB_CLOSE_MS = 60_000;
/** Or when it sends all sorts of things and no block for so long, without choking us. */
const OWING_CLOSE_MS = 180_000;

/** Blocks the peer may owe us. */
export function requestDepth(peer: DownloadPeer, isProven: boolean, queueMax: number): number {
  if (peer.snubbed) return 1;
  const depth = Math.min(peer.depth, peer.queueLimit, queueMax);
  return isProven ? depth : Math.min(depth, STRANGER_DEPTH_MAX);
}

/** What the pace is made of. */
type Paced = Pick<DownloadPeer, "snubbed" | "slowStart" | "depth" | "blockBytes" | "rate">;

/** A block of so many bytes came: while the peer keeps up, it may owe us one more. */
export function growDepth(peer: Paced, length: number, queueMax: number): void {
  peer.blockBytes += (length - peer.blockBytes) * BLOCK_BYTES_WEIGHT;
  if (peer.snubbed) {
    peer.snubbed = false;
    peer.slowStart = true;
  }
  if (peer.slowStart && peer.depth < queueMax) peer.depth += 1;
}

/** A block begins to arrive that was asked for when nothing else was on its way. */
export function noteAnswer(peer: DownloadPeer): void {
  const tookMs = peer.blockBegunAtMs - peer.askedIdleAtMs;
  peer.askedIdleAtMs = -1;
  peer.roundTripMs = peer.roundTripMs === 0 ? tookMs : Math.min(peer.roundTripMs, tookMs);
}

/** For how long the peer is to be busy with what we have asked for, while somebody reads. */
export function aheadMsRead(peer: Pick<DownloadPeer, "roundTripMs">): number {
  return Math.min(AHEAD_MS, Math.max(AHEAD_MS_READ, AHEAD_ROUND_TRIPS * peer.roundTripMs));
}

/** Follows the peer's rate, once the window has outgrown it. */
export function adjustDepth(peer: Paced, now: number, aheadMs: number): void {
  const rate = peer.rate.bytesPerSecond(now);
  // Pieces of small files are single blocks of a few bytes, in v2 and hybrids: by full blocks there would be
  // next to none on the way.
  const wanted = Math.ceil((rate * aheadMs) / 1000 / Math.max(1, peer.blockBytes));
  if (peer.slowStart && peer.depth > wanted * 1.5 + SLOW_START_SLACK) peer.slowStart = false;
  if (!peer.slowStart) peer.depth = Math.max(DEPTH_MIN, wanted);
}

/** The peer has owed us blocks for too long to count on them. */
export function isLate(peer: DownloadPeer, now: number): boolean {
  return !peer.snubbed && now - peer.lastBlockAtMs > SNUB_MS;
}

/** The peer owes us blocks, and neither sent one lately nor is in the middle of one. */
export function isSilent(peer: DownloadPeer, now: number): boolean {
  const heardAtMs = peer.target ? peer.source.lastReceivedAtMs : peer.lastBlockAtMs;
  return peer.owed > 0 && now - heardAtMs >= SILENT_MS;
}

/** @returns Why a peer that snubs us is to be closed, or `undefined`: it may still come round. */
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
