import { invariant } from "../base/errors.ts";
import { contentLayoutInSteps, openInSteps } from "../engine/content-layout.ts";
import type { TorrentFile, TorrentInfo } from "../metainfo/metainfo.ts";
import { pieceHashesV2InSteps } from "../metainfo/piece-layers.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type {
  ContentSource,
  DiskFailure,
  DiskOutcome,
  OpenContent,
  PieceVerdict,
  ReadRun,
} from "../ports/content.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { FileSumTable } from "../store/file-sums.ts";
import type { TorrentRow, TorrentTable } from "../store/torrents.ts";
import type { DataFolder } from "./data-folder.ts";
import { type Crc32, FileSums } from "./file-sums.ts";
import { existingFiles, infoOnDisk } from "./in-place.ts";
import { diskError, PublishError } from "./publish-error.ts";
import type { SlabLine } from "./slab-line.ts";
import type { TorrentLibrary } from "./torrent-library.ts";
import type { Turns } from "./turns.ts";

/** Bytes of one read. */
export const READ_BYTES_MAX = 128 * 1024;
/** An unused content stays open this long, because an interrupted download often returns. */
const REST_MS = 10 * 60_000;
/** Contents kept open without readers. */
const RESTING_MAX = 16;
/** A verified piece is trusted this long, while nobody writes to its files. */
const JUDGED_MS = 10 * 60_000;
/** It is trusted this long without checking the files: a change is seen within this time. */
const UNSEEN_MS = 1_000;
/** File systems may round times down to this step (FAT). */
const TIME_STEP_MS = 2_000;
/** Files of one torrent whose looks are remembered; when there are more, all are checked again. */
const LOOKED_KEPT = 1_024;
/** The unit of the dates of verdicts: four bytes hold more than a year. */
const TICK_MS = 10;

export interface StoredContentsOptions {
  readonly torrents: Pick<TorrentTable, "find">;
  readonly library: TorrentLibrary;
  readonly folder: DataFolder;
  readonly files: Pick<Files, "stat">;
  readonly content: ContentSource;
  /** From a pool with room for several reads. */
  readonly slabs: SlabLine;
  readonly sums: Pick<FileSumTable, "find" | "put">;
  readonly crc32: Crc32;
  readonly turns: Turns;
  readonly clock: Clock;
  readonly log: Log;
  /** A piece was compared with its hash. */
  readonly report: (torrent: TorrentRow, piece: number, intact: boolean) => void;
}

/**
 * The published content for readers that are not peers: like the engine, it gives out verified bytes only. Readers of
 * one torrent share its open files and the findings about them.
 */
export class StoredContents {
  readonly #options: StoredContentsOptions;
  readonly #open = new Map<string, SharedContent>();
  readonly #entries = new WeakMap<StoredContent, SharedContent>();
  /** Contents without readers, the longest unused first. */
  readonly #resting = new Map<string, Timer>();

  constructor(options: StoredContentsOptions) {
    this.#options = options;
  }

  /**
   * Opens the content of a torrent, or shares it with its readers. `release` ends the use.
   *
   * @returns `undefined` when there is no such torrent, or its .torrent file is gone.
   */
  async open(torrentId: string): Promise<StoredContent | undefined> {
    this.#resting.get(torrentId)?.cancel();
    this.#resting.delete(torrentId);
    let entry = this.#open.get(torrentId);
    if (!entry) {
      entry = { content: this.#load(torrentId), users: 0 };
      this.#open.set(torrentId, entry);
    }
    entry.users += 1;
    try {
      const content = await entry.content;
      if (content) this.#entries.set(content, entry);
      else this.#drop(torrentId, entry);
      return content;
    } catch (error) {
      this.#drop(torrentId, entry);
      throw error;
    }
  }

  /** Ends the use of a content from `open`. Never rejects: sums that were not stored can be computed again. */
  async release(content: StoredContent): Promise<void> {
    const { id } = content.torrent;
    const { sums, log } = this.#options;
    const entry = this.#entries.get(content);
    if (entry) this.#leave(id, entry);
    const changes = content.sums.takeChanges();
    if (!changes) return;
    try {
      await sums.put(id, changes);
    } catch (error) {
      log.warn("sums of a torrent's files were not stored", { id, why: String(error) });
    }
  }

  /** Closes a torrent's files because its content was replaced or will be deleted; running reads fail. */
  forget(torrentId: string): void {
    this.#resting.get(torrentId)?.cancel();
    this.#resting.delete(torrentId);
    this.#close(torrentId);
  }

  /** Closes everything. */
  close(): void {
    for (const id of this.#open.keys()) this.forget(id);
  }

  /** Nothing can be opened now, but that may change in a moment. */
  #drop(id: string, entry: SharedContent): void {
    if (this.#open.get(id) === entry) this.#open.delete(id);
  }

  #leave(id: string, entry: SharedContent): void {
    // It was forgotten during the read; an open content now belongs to others.
    if (this.#open.get(id) !== entry) return;
    entry.users -= 1;
    if (entry.users > 0) return;
    const { clock } = this.#options;
    this.#resting.set(
      id,
      clock.startTimer(REST_MS, () => {
        this.#resting.delete(id);
        this.#close(id);
      }),
    );
    const [oldest] = this.#resting.keys();
    if (this.#resting.size > RESTING_MAX) this.forget(oldest!);
  }

  #close(id: string): void {
    const entry = this.#open.get(id);
    this.#open.delete(id);
    entry?.content.then(
      (content) => content?.close(),
      () => undefined,
    );
  }

  async #load(id: string): Promise<StoredContent | undefined> {
    const { torrents, library, folder, content, sums, turns } = this.#options;
    const row = await torrents.find(id);
    const metainfo = row && (await library.load(row));
    if (!row || !metainfo) return undefined;
    const { info, pieceLayers } = metainfo;
    const root = folder.contentRoot(row);
    const onDisk = infoOnDisk(row, info);
    const hashesV2 = await turns.run(pieceHashesV2InSteps(info, pieceLayers));
    const existing = existingFiles(row);
    const layout = await turns.run(contentLayoutInSteps(onDisk, { root, hashesV2, existing }));
    const stored = await sums.find(id);
    return new StoredContent({
      torrent: row,
      info,
      pathOf: (file) => `${root}/${onDisk.files[file]!.path.join("/")}`,
      content: await turns.run(openInSteps(content, { ...layout, readOnly: true })),
      stored,
      options: this.#options,
    });
  }
}

interface SharedContent {
  readonly content: Promise<StoredContent | undefined>;
  users: number;
}

/** The open content of one published torrent. */
export class StoredContent {
  readonly torrent: TorrentRow;
  readonly info: TorrentInfo;
  /** Real files in the torrent's order: their indexes in `info.files`. */
  readonly files: readonly TorrentFile[];
  readonly sums: FileSums;
  readonly #content: OpenContent;
  readonly #options: StoredContentsOptions;
  readonly #pathOf: (file: number) => string;
  readonly #judging = new Map<number, Promise<void>>();
  /** When each piece was verified, in ticks since this was opened; 0 for never. */
  readonly #judged: Uint32Array;
  readonly #openedMs: number;
  /** Recent looks at files, and when each was last written; infinite when a file is not whole. */
  readonly #looked = new Map<number, { readonly atMs: number; readonly writtenMs: number }>();
  #summing: Promise<void> | undefined;

  constructor(parts: {
    torrent: TorrentRow;
    info: TorrentInfo;
    /** The absolute path of a file of `info.files`. */
    pathOf: (file: number) => string;
    content: OpenContent;
    stored: Uint8Array | undefined;
    options: StoredContentsOptions;
  }) {
    const { torrent, info, pathOf, content, stored, options } = parts;
    this.torrent = torrent;
    this.info = info;
    this.files = info.files.filter((file) => !file.pad && !file.linkTarget);
    this.sums = new FileSums(this.files.length, (file) => this.files[file]!.length, options.crc32);
    if (stored) this.sums.restore(stored);
    this.#content = content;
    this.#options = options;
    this.#pathOf = pathOf;
    this.#judged = new Uint32Array(info.geometry.pieceCount);
    // One tick early, so that a verdict made at once has a date above 0.
    this.#openedMs = options.clock.nowMs() - TICK_MS;
  }

  /**
   * Reads bytes of the torrent's space, all of them verified.
   *
   * @param start - Bytes from the start of the space.
   * @param into - Filled; at most `READ_BYTES_MAX`. In a v2-only torrent the range must be in one file.
   * @throws {PublishError} (rejects) `damaged` when the bytes differ from the published ones or are missing.
   */
  async read(start: number, into: Uint8Array): Promise<void> {
    const { length } = into;
    invariant(length > 0 && length <= READ_BYTES_MAX, "readers read in parts");
    const { pieceLength } = this.info.geometry;
    const runs: ReadRun[] = [];
    for (let at = 0; at < length;) {
      const piece = Math.floor((start + at) / pieceLength);
      const begin = start + at - piece * pieceLength;
      const run = { piece, begin, length: Math.min(length - at, pieceLength - begin) };
      await this.#judge(piece, { begin: start + at, length: run.length });
      runs.push({ ...run, slabOffset: at });
      at += run.length;
    }
    const { slabs } = this.#options;
    const slab = await slabs.take(READ_BYTES_MAX);
    try {
      const outcome = await new Promise<DiskOutcome>((resolve) =>
        this.#content.bytes.read(slab, runs, resolve),
      );
      if (outcome.kind === "failure") throw refusal(outcome);
      into.set(slab.view.subarray(0, length));
    } finally {
      slabs.give(slab);
    }
  }

  /**
   * Compares pieces with their hashes, whatever is known about them.
   *
   * @throws {PublishError} (rejects) Like `read`, at the first damaged piece.
   */
  async judgeAnew(pieces: Iterable<number>): Promise<void> {
    for (const piece of pieces) {
      this.#judged[piece] = 0;
      await this.#verifyOnce(piece);
    }
  }

  /**
   * The CRC-32 of a file; it reads the bytes that no reader has passed yet.
   *
   * @param file - Index among the real files.
   * @throws {PublishError} (rejects) Like `read`; or the signal's reason.
   */
  async sum(file: number, signal: AbortSignal): Promise<number> {
    for (;;) {
      const known = this.sums.of(file);
      if (known !== undefined) return known;
      signal.throwIfAborted();
      // One step at a time for all who wait: they may wait for the same file.
      if (this.#summing) await this.#summing.catch(() => undefined);
      else await (this.#summing = this.#sumOn(file).finally(() => (this.#summing = undefined)));
    }
  }

  close(): void {
    this.#content.bytes.close(() => undefined);
  }

  async #sumOn(file: number): Promise<void> {
    const { offset, length } = this.files[file]!;
    const covered = this.sums.covered(file);
    const part = new Uint8Array(Math.min(READ_BYTES_MAX, length - covered));
    await this.read(offset + covered, part);
    this.sums.feed(file, covered, part);
  }

  /** @param run - The bytes of the piece that will be read. */
  async #judge(
    piece: number,
    run: { readonly begin: number; readonly length: number },
  ): Promise<void> {
    const judgedMs = this.#judged[piece]! * TICK_MS + this.#openedMs;
    const ageMs = this.#options.clock.nowMs() - judgedMs;
    if (this.#judged[piece] !== 0 && ageMs < JUDGED_MS) {
      if (ageMs < UNSEEN_MS || (await this.#isAsItWas(run, ageMs))) return;
      // Another file may have taken its place by now.
      const { watch } = this.#content;
      if (watch) await new Promise<DiskOutcome>((resolve) => watch.reopen([], resolve));
    }
    await this.#verifyOnce(piece);
  }

  /**
   * Tells whether the files are unchanged since a time: the system dates every change, and no program can undo that.
   */
  async #isAsItWas(
    run: { readonly begin: number; readonly length: number },
    ageMs: number,
  ): Promise<boolean> {
    const { clock } = this.#options;
    const judgedMs = clock.wallMs() - ageMs;
    for (const { file } of this.info.geometry.spans(run.begin, run.length)) {
      if (this.info.files[file]!.pad) continue;
      if ((await this.#writtenMs(file)) + TIME_STEP_MS > judgedMs) return false;
    }
    return true;
  }

  async #writtenMs(file: number): Promise<number> {
    const { clock, files } = this.#options;
    const nowMs = clock.nowMs();
    const known = this.#looked.get(file);
    if (known && nowMs - known.atMs < UNSEEN_MS) return known.writtenMs;
    const facts = await files.stat(this.#pathOf(file));
    const isWhole = facts?.folder === false && facts.size === this.info.files[file]!.length;
    const writtenMs = isWhole ? Math.max(facts.mtimeMs, facts.ctimeMs) : Number.POSITIVE_INFINITY;
    if (this.#looked.size >= LOOKED_KEPT) this.#looked.clear();
    this.#looked.set(file, { atMs: nowMs, writtenMs });
    return writtenMs;
  }

  async #verifyOnce(piece: number): Promise<void> {
    let judging = this.#judging.get(piece);
    if (!judging) {
      judging = this.#verify(piece).finally(() => this.#judging.delete(piece));
      this.#judging.set(piece, judging);
    }
    await judging;
  }

  async #verify(piece: number): Promise<void> {
    // The date is that of the beginning, because later writes may have been missed.
    const ticks = Math.floor((this.#options.clock.nowMs() - this.#openedMs) / TICK_MS);
    const verdict = await new Promise<PieceVerdict>((resolve) =>
      this.#content.judge.verify(piece, { digests: false }, resolve),
    );
    if (verdict.kind === "failure") throw refusal(verdict);
    const intact = verdict.kind === "intact";
    this.#judged[piece] = intact ? ticks : 0;
    this.#options.report(this.torrent, piece, intact);
    if (!intact) throw damaged();
  }
}

function refusal(failure: DiskFailure): PublishError {
  // A missing or truncated file is as bad as a changed one.
  return LOST.has(failure.code) ? damaged() : diskError(failure);
}

const LOST: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "EOF", "EIO", "ELOOP"]);

function damaged(): PublishError {
  return new PublishError("damaged", "A part of this is damaged or lost on the disk of this hub.");
}
