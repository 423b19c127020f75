import type { TrackerFailure, TrackerReply } from "../announce/http-reply.ts";
import type { Random } from "../ports/random.ts";
import type { AnnounceOutcome } from "./announce-outcome.ts";

// Decides when to announce again. A tracker's intervals are clamped: zero would make us flood it, and 2^62 overflows
// timers (TRK-19).

const INTERVAL_DEFAULT_S = 1800;
const INTERVAL_MIN_S = 30;
const INTERVAL_MAX_S = 3600;
/** The longest `min interval` that is honoured. */
const MIN_INTERVAL_MAX_S = 6 * 3600;
/** Without a `min interval`, no tracker is asked more often than this, as in libtorrent. */
const MIN_INTERVAL_DEFAULT_S = 300;
const RETRY_FIRST_S = 30;
const RETRY_MAX_S = 3600;
const RETRY_ASKED_MAX_S = 24 * 3600;

/**
 * The pause after a successful announce.
 *
 * @param hungry - The torrent needs peers and this answer had hardly any, so the shortest pause is used.
 * @returns Milliseconds.
 */
export function pauseAfterReply(reply: TrackerReply, hungry: boolean): number {
  const minS = clamp(
    reply.minIntervalS ?? (hungry ? MIN_INTERVAL_DEFAULT_S : 0),
    INTERVAL_MIN_S,
    MIN_INTERVAL_MAX_S,
  );
  const intervalS = clamp(reply.intervalS ?? INTERVAL_DEFAULT_S, INTERVAL_MIN_S, INTERVAL_MAX_S);
  return 1000 * (hungry ? minS : Math.max(intervalS, minS));
}

/**
 * The pause after a failed announce: 30 s, 1 min, 2, 4... 60 min, or longer when the tracker asks for it (BEP 31).
 *
 * @param failures - Failures in a row, 1 or more.
 * @returns Milliseconds; Infinity when the tracker never wants to hear of it again.
 */
export function pauseAfterFailure(
  failures: number,
  outcome: Exclude<AnnounceOutcome, TrackerReply>,
): number {
  const backOffS = Math.min(RETRY_FIRST_S * 2 ** (failures - 1), RETRY_MAX_S);
  const askedS = outcome.kind === "failure" ? askedPauseS(outcome) : 0;
  return 1000 * Math.max(backOffS, askedS);
}

/** Adds up to a tenth, so that clients that started together do not stay in step. */
export function withJitter(pauseMs: number, random: Random): number {
  return Number.isFinite(pauseMs) ? pauseMs + random.below(Math.floor(pauseMs / 10) + 1) : pauseMs;
}

function askedPauseS({ retryInMinutes }: TrackerFailure): number {
  if (retryInMinutes === "never") return Number.POSITIVE_INFINITY;
  return Math.min((retryInMinutes ?? 0) * 60, RETRY_ASKED_MAX_S);
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
