import type { TransferRow } from "../store/transfers.ts";
import type { ShareLimits } from "./transfer-choices.ts";
import type { PauseCause } from "./transfer-state.ts";

const MINUTE_MS = 60_000;

/** What is chosen for the transfer comes before what is chosen for its label, and that before what holds for all. */
export function shareLimitsFor(
  own: ShareLimits | undefined,
  label: ShareLimits | undefined,
  all: ShareLimits,
): Required<ShareLimits> {
  return {
    ratio: own?.ratio ?? label?.ratio ?? all.ratio,
    seedingMinutes: own?.seedingMinutes ?? label?.seedingMinutes ?? all.seedingMinutes,
    idleMinutes: own?.idleMinutes ?? label?.idleMinutes ?? all.idleMinutes,
  };
}

/**
 * Everything is counted in seeding time, which no jump of the clock changes (STO-8).
 *
 * @param row - With its seeding time until now.
 * @returns Why a finished transfer has been seeded enough; `undefined` while it has not.
 */
export function endOfSeeding(row: TransferRow, limits: ShareLimits): PauseCause | undefined {
  const { ratio = 0, seedingMinutes = 0, idleMinutes = 0 } = limits;
  if (row.finished_at === null) return undefined;
  if (ratio > 0 && row.uploaded >= ratio * (row.size ?? 0)) return "ratio";
  if (seedingMinutes > 0 && row.seeded_ms >= seedingMinutes * MINUTE_MS) return "seeding-time";
  const idleMs = row.seeded_ms - row.active_seeded;
  return idleMinutes > 0 && idleMs >= idleMinutes * MINUTE_MS ? "idle-time" : undefined;
}
