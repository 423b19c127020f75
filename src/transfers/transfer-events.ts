import type { Infohashes } from "../base/infohash.ts";
import type { StoredTransfer } from "../store/transfers.ts";
import { infohashesOf } from "./transfer-row.ts";

/** What a node tells other programs of. */
export const TRANSFER_EVENTS = ["added", "finished", "failed", "removed"] as const;

export type TransferEventKind = (typeof TRANSFER_EVENTS)[number];

/** Something happened to a transfer that its owner may want to hear of. Names come from outside. */
export interface TransferEvent {
  readonly kind: TransferEventKind;
  readonly id: string;
  readonly infohashes: Infohashes;
  readonly name: string;
  /** Absolute; holds the content. */
  readonly folder: string;
  /** The content itself, absolute; `undefined` while it is not known. */
  readonly path: string | undefined;
  readonly label: string | undefined;
  /** Wanted bytes. */
  readonly size: number | undefined;
  /** Why it failed. */
  readonly message: string | undefined;
}

export type OnTransferEvent = (event: TransferEvent) => void;

export function eventOf(
  kind: TransferEventKind,
  row: StoredTransfer,
  { path, message }: { readonly path?: string; readonly message?: string } = {},
): TransferEvent {
  return {
    kind,
    id: row.id,
    infohashes: infohashesOf(row),
    name: row.name,
    folder: row.root,
    path,
    label: row.label ?? undefined,
    size: row.size ?? undefined,
    message,
  };
}
