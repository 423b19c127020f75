import type { ShareLimits } from "../transfers/transfer-choices.ts";
import type { Transfer } from "../transfers/transfer.ts";
import { causeInWords } from "../transfers/transfer-state.ts";

/** The numbers of the field `status`. */
const STATUS = { stopped: 0, checking: 2, queued: 3, downloading: 4, seeding: 6 } as const;

export function statusOf({ state, finishedAtMs }: Transfer): number {
  switch (state.kind) {
    case "paused":
    case "failed":
    case "removing":
      return STATUS.stopped;
    case "checking":
    // Nothing is fetched yet.
    case "taking":
      return STATUS.checking;
    case "queued":
      return STATUS.queued;
    case "finding":
    case "downloading":
    case "stalled":
      return STATUS.downloading;
    case "seeding":
      return STATUS.seeding;
    case "moving":
    case "renaming":
    case "waiting":
      return finishedAtMs === undefined ? STATUS.downloading : STATUS.seeding;
  }
}

/** The numbers of the field `error`. */
const ERROR = { none: 0, tracker: 2, local: 3 } as const;

/** @param trackerWords - What the trackers say where none of them works. */
export function errorOf(
  { state }: Transfer,
  trackerWords: string | undefined,
): { readonly error: number; readonly errorString: string } {
  if (state.kind === "failed" || state.kind === "waiting") {
    return { error: ERROR.local, errorString: causeInWords(state) ?? "" };
  }
  return trackerWords === undefined
    ? { error: ERROR.none, errorString: "" }
    : { error: ERROR.tracker, errorString: trackerWords };
}

/** True when seeding has ended because it was enough: programs then remove the transfer. */
export function isFinished({ state }: Transfer): boolean {
  return state.kind === "paused" && state.cause !== "asked";
}

/** In the engine, or on its way there. */
export function isAwake({ state }: Transfer): boolean {
  return (
    !(["paused", "failed", "queued", "removing", "moving", "renaming"] as string[]).includes(
      state.kind,
    ) && !(state.kind === "seeding" && state.asleep)
  );
}

const ETA_NONE = -1;
const ETA_UNKNOWN = -2;

/** Seconds until it is done or, for a seed, until its ratio is reached. */
export function etaOf(transfer: Transfer, { ratio = 0 }: ShareLimits): number {
  const { state, size, done, uploaded } = transfer;
  const { downBytesPerSecond: down, upBytesPerSecond: up } = transfer;
  switch (state.kind) {
    case "finding":
    case "downloading":
    case "stalled":
      if (size === undefined || down < 1) return ETA_UNKNOWN;
      return Math.ceil(Math.max(0, size - done) / down);
    case "seeding":
      if (size === undefined || ratio === 0) return ETA_NONE;
      return up < 1 ? ETA_UNKNOWN : Math.ceil(Math.max(0, size * ratio - uploaded) / up);
    default:
      return ETA_NONE;
  }
}
