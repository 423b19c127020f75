import type { Infohashes } from "../base/infohash.ts";
import type { TransferRow } from "../store/transfers.ts";
import type { AwakeTransfer } from "./awake-transfer.ts";
import { parseChoices, type TransferChoices } from "./transfer-choices.ts";
import { infohashesOf, rowState, seededMs } from "./transfer-row.ts";
import { stateAsleep, type TransferState } from "./transfer-state.ts";

/** A transfer as its owner sees it. Sizes in bytes, rates in bytes a second, times in wall milliseconds. */
export interface Transfer {
  readonly id: string;
  readonly seq: number;
  readonly infohashes: Infohashes;
  readonly name: string;
  /** Absolute. */
  readonly root: string;
  readonly state: TransferState;
  /** Wanted bytes; `undefined` until the details are known. */
  readonly size: number | undefined;
  readonly done: number;
  /** All of the torrent is there, not only what is wanted. */
  readonly isWhole: boolean;
  readonly downBytesPerSecond: number;
  readonly upBytesPerSecond: number;
  /** Over its whole life here. */
  readonly downloaded: number;
  readonly uploaded: number;
  readonly seededMs: number;
  /** Connected. */
  readonly peers: number;
  readonly seeds: number;
  readonly knownPeers: number;
  readonly label: string | undefined;
  readonly position: number;
  readonly private: boolean;
  readonly addedAtMs: number;
  readonly finishedAtMs: number | undefined;
  readonly activeAtMs: number;
  readonly choices: TransferChoices;
}

/**
 * @param now.before - Transfers before it in the queue, where it waits there.
 * @param now.taking - Its state while it takes what is here in other transfers.
 * @param now.upMs - See `UpTime`.
 */
export function transferOf(
  row: TransferRow,
  awake: AwakeTransfer | undefined,
  now: {
    readonly before: number;
    readonly upMs: number;
    readonly taking: TransferState | undefined;
  },
): Transfer {
  const stats = awake?.torrent.stats();
  return {
    id: row.id,
    seq: row.seq,
    infohashes: infohashesOf(row),
    name: row.name,
    root: row.root,
    state: awake ? awake.state() : (now.taking ?? stateAsleep(rowState(row), now.before)),
    size: row.size ?? undefined,
    done: row.done,
    isWhole: row.whole === 1,
    downBytesPerSecond: stats?.downloadBytesPerSecond ?? 0,
    upBytesPerSecond: stats?.uploadBytesPerSecond ?? 0,
    downloaded: row.downloaded,
    uploaded: row.uploaded,
    seededMs: seededMs(row, now.upMs),
    peers: stats?.peers ?? 0,
    seeds: stats?.seeds ?? 0,
    knownPeers: stats?.knownPeers ?? 0,
    label: row.label ?? undefined,
    position: row.position,
    private: row.private === 1,
    addedAtMs: row.added_at,
    finishedAtMs: row.finished_at ?? undefined,
    activeAtMs: row.active_at,
    choices: parseChoices(row.choices),
  };
}

/** A page of a list. @property next - `after` of the following page; `undefined` at the end. */
export interface TransferPage {
  readonly transfers: readonly Transfer[];
  readonly next: number | undefined;
}

/** Bytes sent for each byte wanted; `undefined` where nothing is wanted yet. */
export function ratioOf({
  uploaded,
  size,
}: Pick<Transfer, "uploaded" | "size">): number | undefined {
  return size === undefined || size === 0 ? undefined : uploaded / size;
}
