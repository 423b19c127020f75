import { parseEndpoint } from "../base/endpoint.ts";
import type { TransferRow, TransferTable } from "../store/transfers.ts";
import { isTrackerUrl } from "../metainfo/urls.ts";
import { groupOfLabel } from "./label-rates.ts";
import type { RunningTransfers } from "./running-transfers.ts";
import {
  fetchOrder,
  type FilePriority,
  parseChoices,
  type ShareLimits,
  type TransferChoices,
  wantedFiles,
} from "./transfer-choices.ts";
import type { ContentFiles } from "./transfer-chores.ts";
import type { TransferEngine } from "./transfer-engine.ts";
import { trackersOf } from "./transfer-row.ts";
import { TransfersError } from "./transfers-error.ts";

/** Announce URLs of one torrent. */
const TRACKERS_MAX = 100;
/** Peers that an owner may name for one transfer; the oldest are forgotten. */
const PEERS_MAX = 100;

/** What its owner changes about a transfer; what is absent stays. */
export interface TransferEdit {
  /** Null: none. */
  readonly label?: string | null | undefined;
  /** 0: no limit of its own. */
  readonly downBytesPerSecond?: number | undefined;
  readonly upBytesPerSecond?: number | undefined;
  /** Null: those for its label, or for all, hold. */
  readonly shareLimits?: ShareLimits | null | undefined;
  /** By index; others stay. */
  readonly files?: Readonly<Record<number, FilePriority>> | undefined;
  /** From the beginning to the end, or the rarest pieces first. */
  readonly sequential?: boolean | undefined;
  /** The beginning and the end of each file before the rest of it. */
  readonly firstAndLast?: boolean | undefined;
  readonly position?: "first" | "last" | undefined;
  /** Absolute folder that exists: its content is there, and is compared with its hashes. Nothing is moved. */
  readonly root?: string | undefined;
  readonly addTrackers?: readonly string[] | undefined;
  /** Announce URLs of another copy of the torrent. They come from outside, and are judged like its own. */
  readonly joinTrackers?: readonly string[] | undefined;
  readonly removeTrackers?: readonly string[] | undefined;
  /** `address:port`. */
  readonly addPeers?: readonly string[] | undefined;
}

export interface TransferEditsParts {
  readonly transfers: Pick<TransferTable, "positions">;
  readonly running: RunningTransfers;
  readonly engine: TransferEngine;
  readonly content: Pick<ContentFiles, "stat">;
}

/** Carries out what the owner changes about a transfer: at once for one that runs. */
export class TransferEdits {
  readonly #parts: TransferEditsParts;

  constructor(parts: TransferEditsParts) {
    this.#parts = parts;
  }

  /** Call it in the transfer's line. @throws {TransfersError} (rejects) `bad-choice`; then nothing has changed. */
  async apply(row: TransferRow, edit: TransferEdit): Promise<void> {
    refuseUnusable(edit);
    await this.#refuseNoFolder(edit);
    const { running, engine } = this.#parts;
    const { id } = row;
    const before = parseChoices(row.choices);
    const choices = chosen(before, edit);
    const trackers = trackersAfter(row, edit);
    const position = await this.#position(row, edit);
    const wantsChange = edit.files !== undefined && wantsOthers(before, choices);
    const awake = running.get(id);
    // A download goes on, and the engine tells when everything that is wanted now is there.
    const isLive = awake?.torrent.info !== undefined && !awake.isFinished;
    const reopens = wantsChange && !isLive;
    if (reopens) {
      // Whether it is finished depends on what is wanted; the engine finds out when it opens it.
      await running.close(id);
      await running.update(id, { whole: 0, finished_at: null });
    }
    await running.update(id, {
      ...(edit.label !== undefined && { label: edit.label }),
      choices: JSON.stringify(choices),
      trackers: JSON.stringify(trackers),
      position,
    });
    if (edit.root !== undefined && edit.root !== row.root) {
      await running.recheck(id);
      await running.update(id, { root: edit.root });
      return;
    }
    const asksOthers =
      JSON.stringify(trackers) !== row.trackers ||
      JSON.stringify(choices.ownTrackers) !== JSON.stringify(before.ownTrackers ?? []);
    if (!awake || reopens) return;
    if (asksOthers) {
      await running.close(id);
      await running.open(id);
      return;
    }
    const { downBytesPerSecond = 0, upBytesPerSecond = 0 } = choices;
    const group = groupOfLabel(edit.label === undefined ? row.label : edit.label) ?? null;
    awake.torrent.setLimits({ downBytesPerSecond, upBytesPerSecond, group });
    if (wantsChange) {
      awake.torrent.setWanted(wantedFiles(choices, awake.torrent.info!.files.length));
      await running.takeInstead(id);
    }
    if (changesOrder(edit)) awake.torrent.setOrder(fetchOrder(choices));
    if (edit.addPeers) engine.addPeers(awake.torrent, edit.addPeers);
  }

  async #refuseNoFolder({ root }: TransferEdit): Promise<void> {
    if (root === undefined) return;
    if (!root.startsWith("/")) {
      throw new TransfersError("bad-choice", `${root} is no absolute path.`);
    }
    const facts = await this.#parts.content.stat(root);
    if (facts?.folder !== true)
      throw new TransfersError("bad-choice", `There is no folder ${root}.`);
  }

  async #position({ position }: TransferRow, edit: TransferEdit): Promise<number> {
    if (edit.position === undefined) return position;
    const { first, last } = await this.#parts.transfers.positions();
    return edit.position === "first" ? first - 1 : last + 1;
  }
}

/** @throws {TransfersError} `bad-choice`. */
export function refuseUnusable({
  addTrackers = [],
  addPeers = [],
}: Pick<TransferEdit, "addTrackers" | "addPeers">): void {
  for (const url of addTrackers) {
    if (!isTrackerUrl(url)) {
      throw new TransfersError("bad-choice", `${url} is no URL of a tracker (http, https, udp).`);
    }
  }
  for (const peer of addPeers) {
    if (!parseEndpoint(peer)) {
      throw new TransfersError("bad-choice", `${peer} is no address and port of a peer.`);
    }
  }
}

function changesOrder({ files, sequential, firstAndLast }: TransferEdit): boolean {
  return files !== undefined || sequential !== undefined || firstAndLast !== undefined;
}

function chosen(before: TransferChoices, edit: TransferEdit): TransferChoices {
  const { downBytesPerSecond, upBytesPerSecond, shareLimits, files } = edit;
  const { sequential, firstAndLast } = edit;
  const { addTrackers = [], removeTrackers = [], addPeers = [] } = edit;
  const removed = new Set(removeTrackers);
  const ownTrackers = [...new Set([...(before.ownTrackers ?? []), ...addTrackers])]
    .filter((url) => !removed.has(url))
    .slice(0, TRACKERS_MAX);
  const peers = [...new Set([...(before.peers ?? []), ...addPeers])].slice(-PEERS_MAX);
  return {
    ...before,
    ...(downBytesPerSecond !== undefined && { downBytesPerSecond }),
    ...(upBytesPerSecond !== undefined && { upBytesPerSecond }),
    ...(shareLimits !== undefined && { shareLimits: shareLimits ?? undefined }),
    ...(files && { files: { ...before.files, ...files } }),
    ...(sequential !== undefined && { sequential }),
    ...(firstAndLast !== undefined && { firstAndLast }),
    ownTrackers,
    peers,
  };
}

function trackersAfter(
  row: TransferRow,
  { removeTrackers = [], joinTrackers = [] }: TransferEdit,
): readonly (readonly string[])[] {
  const removed = new Set(removeTrackers);
  const tiers = trackersOf(row);
  // The trackers of a private torrent are a part of what makes it private (BEP 27).
  const joined = row.private === 1 ? [] : joinTrackers;
  const known = new Set(tiers.flat());
  const added = [...new Set(joined)].filter((url) => !known.has(url));
  const room = Math.max(0, TRACKERS_MAX - known.size);
  return [...tiers, ...added.slice(0, room).map((url) => [url])]
    .map((tier) => tier.filter((url) => !removed.has(url)))
    .filter((tier) => tier.length > 0);
}

/** True when the choice of files differs. */
function wantsOthers(before: TransferChoices, after: TransferChoices): boolean {
  const count = 1 + Math.max(-1, ...Object.keys(after.files ?? {}).map(Number));
  const [one, other] = [wantedFiles(before, count), wantedFiles(after, count)];
  return one.some((wanted, index) => wanted !== other[index]);
}
