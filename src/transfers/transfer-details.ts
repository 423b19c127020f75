import { Bitfield } from "../base/bitfield.ts";
import type { EngineTorrent, PeerStatus } from "../engine/session-contract.ts";
import type { Metainfo, TorrentInfo } from "../metainfo/metainfo.ts";
import type { Clock } from "../ports/clock.ts";
import type { TransferRow, TransferTable } from "../store/transfers.ts";
import { copiesOf, copyCells, type PieceMap, rarestIn } from "./piece-map.ts";
import { placedInfo } from "./placed-info.ts";
import type { RunningTransfers } from "./running-transfers.ts";
import type { SpeedGraph, SpeedSpan } from "./speed-history.ts";
import { filePriorities, type FilePriority, parseChoices } from "./transfer-choices.ts";
import type { TransferEngine, TransferTracker } from "./transfer-engine.ts";
import type { JournalLine } from "./transfer-journal.ts";
import { trackersOf } from "./transfer-row.ts";
import type { TransferShelf } from "./transfer-shelf.ts";
import { TransfersError } from "./transfers-error.ts";

/** A file of a transfer; padding is left out. */
export interface TransferFile {
  /** In the torrent, padding included. */
  readonly index: number;
  /** Below the folder of the transfer. */
  readonly path: readonly string[];
  /** Bytes. */
  readonly length: number;
  readonly priority: FilePriority;
  /** Bytes of it in pieces that are intact. */
  readonly done: number;
}

/** The trackers of a transfer: those that it names, and what the running ones say. */
export interface TransferTrackers {
  /** Tiers of announce URLs. */
  readonly tiers: readonly (readonly string[])[];
  /** Empty while it does not run, or sleeps. */
  readonly status: readonly TransferTracker[];
}

/** The connected peers of a transfer. @property pieceCount - 0 until it is known. */
export interface TransferPeers {
  readonly peers: readonly PeerStatus[];
  readonly pieceCount: number;
}

/** What a transfer is made of, and how much of it is there. */
export interface TransferAbout {
  /** The .torrent file; `undefined` until the details of a link are known. */
  readonly metainfo: Metainfo | undefined;
  readonly info: TorrentInfo | undefined;
  /** Absolute path of the .torrent file, which may not be there yet. */
  readonly torrentFile: string;
  /** Pieces that are intact; `undefined` while that is not known. */
  readonly have: Bitfield | undefined;
  /** For each piece, how many connected peers have it; `undefined` while it does not run. */
  readonly copies: readonly number[] | undefined;
  /** Web seeds that send now. */
  readonly webSeedsSending: number;
}

export interface TransferDetailsParts {
  readonly transfers: Pick<TransferTable, "find">;
  readonly running: RunningTransfers;
  readonly shelf: TransferShelf;
  readonly engine: TransferEngine;
  readonly clock: Clock;
}

/** The parts of one transfer. */
export class TransferDetails {
  readonly #parts: TransferDetailsParts;

  constructor(parts: TransferDetailsParts) {
    this.#parts = parts;
  }

  /** @returns Empty until the details of a link are known. @throws {TransfersError} (rejects) `not-found`. */
  async files(id: string): Promise<readonly TransferFile[]> {
    const { running } = this.#parts;
    const row = await this.#row(id);
    const torrent = running.get(id)?.torrent;
    const choices = parseChoices(row.choices);
    const info = torrent?.info ?? (await this.#storedInfo(row));
    if (!info) return [];
    const priorities = filePriorities(choices, info.files.length);
    const have = row.whole === 1 ? undefined : await this.#have(id, torrent);
    return info.files.flatMap(({ path, length, pad }, index) => {
      if (pad) return [];
      const done = row.whole === 1 ? length : doneOf(info, index, have);
      return [{ index, path, length, priority: priorities[index]!, done }];
    });
  }

  /** Reads its .torrent file. @throws {TransfersError} (rejects) `not-found`. */
  async about(id: string): Promise<TransferAbout> {
    const { running, shelf } = this.#parts;
    const row = await this.#row(id);
    const torrent = running.get(id)?.torrent;
    const metainfo = row.magnet === null ? await shelf.loadTorrent(id) : undefined;
    const info = torrent?.info ?? metainfo?.info;
    const seeds = torrent?.stats().seeds ?? 0;
    const partial = torrent?.partialCopies();
    const sending = torrent?.webSeeds().filter((seed) => seed.downloadBytesPerSecond > 0) ?? [];
    return {
      metainfo,
      info,
      torrentFile: shelf.torrentPath(id),
      have: info && row.whole === 1 ? allOf(info) : await this.#have(id, torrent),
      copies: partial && Array.from(partial, (count) => count + seeds),
      webSeedsSending: sending.length,
    };
  }

  /** @throws {TransfersError} (rejects) `not-found`. */
  async pieces(id: string): Promise<PieceMap> {
    const row = await this.#row(id);
    const torrent = this.#parts.running.get(id)?.torrent;
    const info = torrent?.info ?? (await this.#storedInfo(row));
    if (!info) return NO_PIECES;
    const { pieceCount, pieceLength } = info.geometry;
    const have = row.whole === 1 ? allOf(info) : await this.#have(id, torrent);
    const copies = torrent && copiesOf(torrent);
    return {
      pieceCount,
      pieceLength,
      have: have?.length === pieceCount ? have : undefined,
      started: torrent?.startedPieces() ?? [],
      copies: copies ? copyCells(copies) : [],
      rarest: copies && rarestIn(copies, have),
    };
  }

  /** How fast a transfer was, or all of them were. */
  speed(span: SpeedSpan, id?: string): SpeedGraph {
    return this.#parts.running.past.speeds.graph(span, this.#parts.clock.wallMs(), id);
  }

  /** What happened to it since the start of the node, newest first, and when it was added. */
  async log(id: string): Promise<readonly JournalLine[]> {
    const { added_at, root } = await this.#row(id);
    const added = {
      atMs: added_at,
      trouble: false,
      message: `It was added; its folder is ${root}.`,
    };
    return [...this.#parts.running.past.journal.lines(id), added];
  }

  /** The connected peers. @throws {TransfersError} (rejects) `not-found`. */
  async peers(id: string): Promise<TransferPeers> {
    await this.#row(id);
    const torrent = this.#parts.running.get(id)?.torrent;
    const pieceCount = torrent?.info?.geometry.pieceCount ?? 0;
    return { peers: torrent?.peers() ?? [], pieceCount };
  }

  /** @throws {TransfersError} (rejects) `not-found`. */
  async trackers(id: string): Promise<TransferTrackers> {
    const { running, engine } = this.#parts;
    const row = await this.#row(id);
    const { ownTrackers = [] } = parseChoices(row.choices);
    const awake = running.get(id);
    const tiers = [...trackersOf(row), ...ownTrackers.map((url) => [url])];
    return { tiers, status: awake ? engine.trackers(awake.torrent) : [] };
  }

  async #row(id: string): Promise<TransferRow> {
    const row = this.#parts.running.get(id)?.row ?? (await this.#parts.transfers.find(id));
    if (!row) throw new TransfersError("not-found", `There is no transfer ${id}.`);
    return row;
  }

  /** @returns `undefined` while a link's details are unknown, or when the .torrent file is damaged. */
  async #storedInfo({ id, magnet, choices }: TransferRow): Promise<TorrentInfo | undefined> {
    if (magnet !== null) return undefined;
    const stored = await this.#parts.shelf.loadTorrent(id);
    return stored && placedInfo(stored.info, parseChoices(choices).names);
  }

  async #have(id: string, torrent: EngineTorrent | undefined): Promise<Bitfield | undefined> {
    return torrent?.have ?? (await this.#parts.shelf.loadResume(id))?.have;
  }
}

function allOf({ geometry }: TorrentInfo): Bitfield {
  const have = new Bitfield(geometry.pieceCount);
  have.fill();
  return have;
}

const NO_PIECES: PieceMap = {
  pieceCount: 0,
  pieceLength: 0,
  have: undefined,
  started: [],
  copies: [],
  rarest: undefined,
};

function doneOf(
  { geometry, files }: TorrentInfo,
  index: number,
  have: Bitfield | undefined,
): number {
  const { length } = files[index]!;
  if (length === 0 || !have || have.length !== geometry.pieceCount) return 0;
  const { first, end } = geometry.filePieces(index);
  const { offset } = geometry.files[index]!;
  let done = 0;
  for (let piece = first; piece < end; piece += 1) {
    if (!have.has(piece)) continue;
    const begin = piece * geometry.pieceLength;
    const last = begin + geometry.pieceLength;
    done += Math.min(last, offset + length) - Math.max(begin, offset);
  }
  return done;
}
