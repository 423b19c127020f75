import type { Infohashes } from "../base/infohash.ts";
import type { StoredTransfer, TransferRow } from "../store/transfers.ts";
import type { Chore, Failure, PauseCause, RowState } from "./transfer-state.ts";

/** What the columns of a row say of the transfer's state. */
export function rowState(row: TransferRow): RowState {
  return {
    chore: parsed<Chore>(row.chore),
    failure: parsed<Failure>(row.failure),
    pause: row.stopped === 0 ? undefined : pauseIn(row.pause),
    isFinished: row.finished_at !== null,
  };
}

/** True when nothing keeps it from running. */
export function isWanted({ stopped, failure, chore }: TransferRow): boolean {
  return stopped === 0 && failure === null && chore === null;
}

/** True when peers can have all that is wanted of it, asleep or awake. */
export function isSeeded(row: TransferRow): boolean {
  return row.finished_at !== null && isWanted(row);
}

/** How long it has been seeded. @param upMs - See `UpTime`. */
export function seededMs(row: TransferRow, upMs: number): number {
  // After a kill the node may remember less time than the row.
  return row.seeded_ms + (isSeeded(row) ? Math.max(0, upMs - row.seeded_until) : 0);
}

export function infohashesOf({ infohash_v1, infohash_v2 }: StoredTransfer): Infohashes {
  return { ...(infohash_v1 && { v1: infohash_v1 }), ...(infohash_v2 && { v2: infohash_v2 }) };
}

/** Tiers of announce URLs. */
export function trackersOf({ trackers }: TransferRow): readonly (readonly string[])[] {
  return parsed<string[][]>(trackers) ?? [];
}

function pauseIn(text: string | null): PauseCause {
  switch (text) {
    case "ratio":
    case "seeding-time":
    case "idle-time":
      return text;
    default:
      return "asked";
  }
}

/** Our own rooms wrote the column; a hand that damaged it costs that value, not the start. */
function parsed<Value>(text: string | null): Value | undefined {
  if (text === null) return undefined;
  try {
    return JSON.parse(text) as Value;
  } catch {
    return undefined;
  }
}
