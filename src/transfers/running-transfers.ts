import { contentLayout } from "../engine/content-layout.ts";
import type { EngineTorrent, TorrentEvent } from "../engine/session-contract.ts";
import { assembleTorrent } from "../metainfo/assemble-torrent.ts";
import { parseMagnet } from "../metainfo/magnet.ts";
import type { Metainfo, TorrentInfo } from "../metainfo/metainfo.ts";
import { toHex } from "../base/bytes.ts";
import { invariant } from "../base/errors.ts";
import type { MatchesGlob } from "../base/file-pattern.ts";
import { joinPath } from "../base/paths.ts";
import type { RunWork } from "../base/work.ts";
import type { Clock } from "../ports/clock.ts";
import type { PieceHasher } from "../ports/content.ts";
import type { Log } from "../ports/log.ts";
import type { FolderFiles } from "../ports/user-files.ts";
import type { TransferChange, TransferRow, TransferTable } from "../store/transfers.ts";
import { choiceOfFiles } from "./file-choice.ts";
import { placedInfo } from "./placed-info.ts";
import { parseChoices } from "./transfer-choices.ts";
import type { AwakeTransfer } from "./awake-transfer.ts";
import type { ContentTaking } from "./content-taking.ts";
import type { KnownContents } from "./known-contents.ts";
import type { TransferEngine } from "./transfer-engine.ts";
import type { TransferLines } from "./transfer-lines.ts";
import { noContent, type OpenedTransfer, TransferOpener } from "./transfer-opener.ts";
import { isSeeded, isWanted, seededMs, trackersOf } from "./transfer-row.ts";
import type { SettingsStore } from "./transfer-settings.ts";
import type { TransferShelf } from "./transfer-shelf.ts";
import type { Failure } from "./transfer-state.ts";
import { TransferPast } from "./transfer-past.ts";
import type { UpTime } from "./up-time.ts";

const NODE_BYTES = 32;

export interface RunningTransfersParts {
  readonly content: Pick<FolderFiles, "stat">;
  readonly known: Pick<KnownContents, "add">;
  readonly taking: Pick<ContentTaking, "plan" | "begin" | "has" | "hasTaken" | "cancel" | "forget">;
  readonly transfers: TransferTable;
  readonly engine: TransferEngine;
  readonly shelf: TransferShelf;
  readonly lines: TransferLines;
  /** Computes the piece layers of a v2 torrent that came by a magnet link. */
  readonly hasher: PieceHasher;
  readonly clock: Clock;
  readonly upTime: UpTime;
  readonly settings: SettingsStore;
  readonly log: Log;
  readonly run: RunWork;
  readonly matchesGlob: MatchesGlob;
  /** Something about a transfer has changed that its owner sees. */
  readonly onChanged: (id: string) => void;
  /** Everything that is wanted is there. */
  readonly onFinished: (row: TransferRow, finished: FinishedDownload) => void;
  /** It cannot go on until its owner does something. */
  readonly onFailed: (row: TransferRow, failure: Failure) => void;
  /** It is a seed from now on, or none any more, asleep or awake. */
  readonly onSeeded: (row: TransferRow, isSeeded: boolean) => void;
}

/** @property isNews - It came from peers, or from other transfers: it was not there before. */
interface FinishedDownload {
  /** The content, absolute. */
  readonly path: string;
  readonly isNews: boolean;
}

/**
 * The transfers whose torrents are in the engine. Methods that change one run in its line (`TransferLines`); the caller
 * provides that.
 */
export class RunningTransfers {
  readonly #parts: RunningTransfersParts;
  /** How fast they were, and what happened to them. */
  readonly past: TransferPast;
  readonly #opener: TransferOpener;
  readonly #running = new Map<string, OpenedTransfer>();
  /** Bytes of those that have left the engine. */
  #movedBefore = { uploaded: 0, downloaded: 0 };
  /** Bytes that had been fetched when everything was to be compared: finding it all there is no news. */
  readonly #rechecked = new Map<string, number>();

  constructor(parts: RunningTransfersParts) {
    this.#parts = parts;
    this.past = new TransferPast(parts);
    this.#opener = new TransferOpener(parts);
  }

  get size(): number {
    return this.#running.size;
  }

  get(id: string): AwakeTransfer | undefined {
    return this.#running.get(id)?.awake;
  }

  *all(): Iterable<AwakeTransfer> {
    for (const { awake } of this.#running.values()) yield awake;
  }

  /** Bytes since the start, of all that run or did. */
  get moved(): { readonly uploaded: number; readonly downloaded: number } {
    let { uploaded, downloaded } = this.#movedBefore;
    for (const { moved } of this.all()) {
      uploaded += moved.uploaded;
      downloaded += moved.downloaded;
    }
    return { uploaded, downloaded };
  }

  /**
   * Puts a transfer into the engine, unless it is there or may not run. One that takes content from others first comes
   * in when that has ended.
   *
   * @param quiet - Its trackers are not asked: its turns go on announcing it.
   */
  async open(id: string, quiet = false): Promise<AwakeTransfer | undefined> {
    const { transfers, taking, onChanged } = this.#parts;
    const running = this.#running.get(id);
    if (running) return running.awake;
    if (taking.has(id)) return undefined;
    const row = await transfers.find(id);
    if (!row || !isWanted(row)) return undefined;
    // Events come before `open` has returned too.
    const early: TorrentEvent[] = [];
    let handle = (event: TorrentEvent): void => void early.push(event);
    const opened = await this.#opener.open(row, { quiet, onEvent: (event) => handle(event) });
    if ("cause" in opened) {
      await this.#fail(id, opened);
      return undefined;
    }
    if ("files" in opened) {
      taking.begin(row, opened);
      return undefined;
    }
    const { awake } = opened;
    this.#running.set(id, opened);
    handle = (event) => this.#handleEvent(awake, event);
    for (const event of early) handle(event);
    onChanged(id);
    return awake;
  }

  /** Takes a transfer out of the engine; everything it fetched is durable, and its figures are saved. */
  async close(id: string): Promise<void> {
    await this.#parts.taking.cancel(id);
    const running = this.#running.get(id);
    if (!running) return;
    const { transfers, engine, clock, log, onChanged } = this.#parts;
    const { awake, saved } = running;
    awake.count(clock.nowMs(), { wallMs: clock.wallMs(), upMs: this.#parts.upTime.nowMs() });
    this.#running.delete(id);
    const { moved } = awake;
    this.#movedBefore = {
      uploaded: this.#movedBefore.uploaded + moved.uploaded,
      downloaded: this.#movedBefore.downloaded + moved.downloaded,
    };
    this.past.speeds.handleClosed(id);
    try {
      await engine.remove(awake.torrent);
    } catch (error) {
      log.warn("a transfer did not end in order", { id, error: String(error) });
    }
    await saved();
    const figures = awake.takeFigures();
    if (figures) await transfers.update(id, figures);
    onChanged(id);
  }

  /** Saves a change of a transfer, awake or not. */
  async update(id: string, change: TransferChange): Promise<void> {
    const { transfers, upTime, onChanged, onSeeded } = this.#parts;
    const before = this.get(id)?.row ?? (await transfers.find(id));
    if (!before) return;
    const after = { ...before, ...change };
    const isOther = isSeeded(after) !== isSeeded(before);
    const upMs = upTime.nowMs();
    const times = isOther && { seeded_ms: seededMs(before, upMs), seeded_until: upMs };
    await transfers.update(id, { ...change, ...times });
    const awake = this.get(id);
    if (awake) awake.row = { ...awake.row, ...change, ...times };
    if (isOther) onSeeded(after, isSeeded(after));
    this.past.journal.handleChange(id, before, change);
    onChanged(id);
  }

  /** Saves changes of several transfers in one transaction. */
  async updateAll(changes: readonly (TransferChange & { readonly id: string })[]): Promise<void> {
    const { transfers, onChanged } = this.#parts;
    await transfers.updateAll(changes);
    for (const { id, ...change } of changes) {
      const awake = this.get(id);
      if (awake) awake.row = { ...awake.row, ...change };
      onChanged(id);
    }
  }

  /** Saves the figures of all of them. */
  async saveFigures(): Promise<void> {
    const changes: (TransferChange & { readonly id: string })[] = [];
    for (const awake of this.all()) {
      const figures = awake.takeFigures();
      if (figures) changes.push({ id: awake.id, ...figures });
    }
    await this.#parts.transfers.updateAll(changes);
  }

  #handleEvent(awake: AwakeTransfer, event: TorrentEvent): void {
    const { id } = awake;
    this.past.journal.handleEvent(id, event);
    switch (event.kind) {
      case "metadata":
        this.#inLine(awake, () => this.#keepDetails(awake, event.info));
        break;
      case "complete":
        this.#inLine(awake, () => this.#finish(awake));
        break;
      case "piece-lost":
        // While it downloads, the engine fetches the piece again by itself.
        if (awake.row.whole === 1) this.#inLine(awake, () => this.#judgeAgain(awake));
        break;
      case "state": {
        const { state } = event;
        if (state.kind === "downloading" || state.kind === "seeding") this.#settleTaken(awake);
        // What was whole is opened to be seeded only: then nothing fetches what is missing.
        if (state.kind === "downloading" && awake.row.whole === 1) {
          this.#inLine(awake, async () => {
            if (lacksPieces(awake.torrent)) await this.#judgeAgain(awake);
          });
        }
        if (state.kind === "broken") {
          this.#inLine(awake, async () => {
            await this.close(id);
            await this.#fail(id, { cause: state.cause, message: state.message });
          });
        }
        this.#parts.onChanged(id);
        break;
      }
      case "piece":
      case "peer-banned":
        break;
    }
  }

  /** Does nothing when the transfer has left the engine meanwhile. */
  #inLine(awake: AwakeTransfer, work: () => Promise<void>): void {
    const { lines, log } = this.#parts;
    const { id } = awake;
    const ifHere = async (): Promise<void> => {
      if (this.get(id) === awake) await work();
    };
    lines.run(id, ifHere).catch((error: unknown) => {
      log.error("an event of a transfer could not be handled", { id, error: String(error) });
    });
  }

  /** The files that were taken are compared, and the resume knows them for ours. */
  #settleTaken(awake: AwakeTransfer): void {
    const running = this.#running.get(awake.id);
    if (!running?.brought) return;
    const { brought: files, saved } = running;
    this.#running.set(awake.id, { ...running, brought: undefined });
    this.#inLine(awake, async () => {
      await saved();
      await this.#parts.shelf.saveTaken(awake.id, { files, isCompared: true });
    });
  }

  /** Takes a running download out of the engine when files that it lacks are here in other transfers. */
  async takeInstead(id: string): Promise<void> {
    const running = this.#running.get(id);
    const info = running?.awake.torrent.info;
    if (!running || !info) return;
    const { shelf, taking } = this.#parts;
    await running.saved();
    if (!(await taking.plan(running.awake.row, info, await shelf.loadResume(id)))) return;
    await this.close(id);
    await this.open(id);
  }

  async #fail(id: string, failure: Failure): Promise<void> {
    await this.update(id, { failure: JSON.stringify(failure) });
    const row = await this.#parts.transfers.find(id);
    if (row) this.#parts.onFailed(row, failure);
  }

  /** Peers have told what a link names: from now on the transfer has its .torrent file. */
  async #keepDetails(awake: AwakeTransfer, info: TorrentInfo): Promise<void> {
    const { shelf, transfers, matchesGlob } = this.#parts;
    const { row } = awake;
    if (row.magnet === null) return;
    const { patterns = [], ...others } = parseChoices(row.choices);
    const choices = choiceOfFiles(parseChoices(row.choices), info, matchesGlob);
    const { trackers, webSeeds } = linkParts(row);
    await shelf.saveTorrent(
      row.id,
      assembleTorrent({
        infoBytes: info.infoBytes,
        trackers,
        webSeeds,
        pieceLayers: new Map(),
      }),
    );
    const { v1, v2 } = info.infohashes;
    // The other infohash of a hybrid is known only now; another transfer may have it already.
    const isNew = async (hash: Uint8Array | undefined): Promise<boolean> =>
      hash !== undefined && (await transfers.findByWire(hash.subarray(0, 20))) === undefined;
    await this.update(row.id, {
      name: info.name,
      private: info.private ? 1 : 0,
      magnet: null,
      choices: JSON.stringify(choices ?? others),
      size: awake.torrent.stats().wantedBytes,
      ...(row.infohash_v1 === null && (await isNew(v1)) && { infohash_v1: v1! }),
      ...(row.infohash_v2 === null && (await isNew(v2)) && { infohash_v2: v2! }),
    });
    if (choices) {
      await this.takeInstead(row.id);
      return;
    }
    await this.close(row.id);
    const message = `no file of it fits ${patterns.join(" or ")}: everseed start fetches all of them, everseed files chooses`;
    await this.#fail(row.id, { cause: "nothing-chosen", message });
  }

  async #finish(awake: AwakeTransfer): Promise<void> {
    const { clock, upTime, taking, onFinished } = this.#parts;
    const { row, torrent } = awake;
    const { wantedBytes, left } = torrent.stats();
    if (left === 0) await this.#keepLayers(row, torrent);
    const isNew = row.finished_at === null;
    await this.update(row.id, {
      finished_at: row.finished_at ?? Math.floor(clock.wallMs()),
      whole: left === 0 ? 1 : 0,
      size: wantedBytes,
      done: wantedBytes,
    });
    const isTaken = taking.hasTaken(row.id);
    taking.forget(row.id);
    if (!isNew) return;
    await this.#makeKnown(awake.row, torrent);
    const known = this.#rechecked.get(row.id) ?? 0;
    this.#rechecked.delete(row.id);
    awake.count(clock.nowMs(), { wallMs: clock.wallMs(), upMs: upTime.nowMs() });
    const { names } = parseChoices(awake.row.choices);
    const [top = ""] = placedInfo(torrent.info!, names).files[0]?.path ?? [];
    onFinished(awake.row, {
      path: joinPath(row.root, top),
      isNews: isTaken || awake.row.downloaded > known,
    });
  }

  /** Other transfers find its files from now on. */
  async #makeKnown(row: TransferRow, { info }: EngineTorrent): Promise<void> {
    invariant(info, "a complete torrent knows what it is");
    try {
      await this.#parts.known.add(row, info);
    } catch (error) {
      // Then others fetch what is here: a pity, and no harm.
      const { log } = this.#parts;
      log.warn("the files of a transfer are not known", { id: row.id, error: String(error) });
    }
  }

  /** A link's info holds only the roots of large files: who is to seed them needs the hashes of their pieces. */
  async #keepLayers(row: TransferRow, { info }: EngineTorrent): Promise<void> {
    invariant(info, "a complete torrent knows what it is");
    if (info.kind === "v1") return;
    const { shelf, hasher, log } = this.#parts;
    const known = await shelf.loadTorrent(row.id);
    const lacking = info.files.some(
      ({ piecesRoot, length }) =>
        piecesRoot &&
        length > info.geometry.pieceLength &&
        known?.pieceLayers.has(toHex(piecesRoot)) !== true,
    );
    if (!known || !lacking) return;
    try {
      const layout = contentLayout(info, row.root, undefined, "untouched");
      const { v2 } = await hasher.measure({ layout, v1: false, v2: true });
      invariant(v2, "the hasher finds what it is asked for");
      const pieceLayers = layersIn(info, v2);
      const torrent = assembleTorrent({ ...known, infoBytes: info.infoBytes, pieceLayers });
      await shelf.saveTorrent(row.id, torrent);
    } catch (error) {
      // Without them it is seeded all the same, to those who have the hashes.
      log.warn("hashes of a finished transfer could not be computed", {
        id: row.id,
        error: String(error),
      });
    }
  }

  /** Its owner's files have changed, or the disk has: all of it is compared with its hashes, and what is wrong fetched. */
  async #judgeAgain(awake: AwakeTransfer): Promise<void> {
    const { row, torrent, id } = awake;
    if (torrent.info && !(await this.#opener.isContentThere(row, torrent.info, undefined))) {
      await this.close(id);
      await this.#fail(id, noContent(row.root));
      return;
    }
    this.#parts.log.warn("a finished transfer is damaged on disk: all of it is compared", { id });
    await this.recheck(id);
    await this.open(id);
  }

  /** The next opening compares all of it with its hashes. */
  async recheck(id: string): Promise<void> {
    await this.close(id);
    await this.#parts.shelf.removeResume(id);
    const row = await this.#parts.transfers.find(id);
    this.#rechecked.set(id, row?.downloaded ?? 0);
    await this.update(id, { whole: 0, finished_at: null, done: 0, failure: null });
  }
}

/** True when the engine has opened a torrent and found that not all of it is there. */
function lacksPieces({ state, have }: EngineTorrent): boolean {
  return state.kind === "downloading" && have !== undefined && have.count < have.length;
}

function linkParts(row: TransferRow): Pick<Metainfo, "trackers" | "webSeeds"> {
  const { webSeeds } = parseMagnet(row.magnet!);
  return { trackers: trackersOf(row), webSeeds };
}

function layersIn(info: TorrentInfo, hashes: Uint8Array): Metainfo["pieceLayers"] {
  const layers = new Map<string, Uint8Array>();
  for (const [index, file] of info.files.entries()) {
    if (!file.piecesRoot || file.length <= info.geometry.pieceLength) continue;
    const { first, end } = info.geometry.filePieces(index);
    layers.set(toHex(file.piecesRoot), hashes.slice(first * NODE_BYTES, end * NODE_BYTES));
  }
  return layers;
}
