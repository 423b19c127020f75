import type { Transfer } from "../transfers/transfer.ts";
import type { TransferMemory } from "./rpc-memory.ts";
import { kilobytes } from "./units.ts";

/** The numbers of `seedRatioMode` and `seedIdleMode`. */
export const LIMIT_MODE = { global: 0, own: 1, none: 2 } as const;

/** The fields of a transfer's own limits. A limit of 0 is none here. */
export function limitFields({ choices }: Transfer, memory: TransferMemory) {
  const { downBytesPerSecond: down = 0, upBytesPerSecond: up = 0, shareLimits = {} } = choices;
  const { ratio, idleMinutes } = shareLimits;
  return {
    downloadLimited: down > 0,
    downloadLimit: down > 0 ? kilobytes(down) : (memory.downloadLimit ?? 0),
    uploadLimited: up > 0,
    uploadLimit: up > 0 ? kilobytes(up) : (memory.uploadLimit ?? 0),
    seedRatioMode: modeOf(ratio),
    seedRatioLimit: ratio || (memory.seedRatioLimit ?? 0),
    seedIdleMode: modeOf(idleMinutes),
    seedIdleLimit: idleMinutes || (memory.seedIdleLimit ?? 0),
  };
}

function modeOf(limit: number | undefined): number {
  if (limit === undefined) return LIMIT_MODE.global;
  return limit === 0 ? LIMIT_MODE.none : LIMIT_MODE.own;
}
