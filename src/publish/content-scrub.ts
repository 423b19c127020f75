import { contentLayoutInSteps, openInSteps } from "../engine/content-layout.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import { pieceHashesV2InSteps } from "../metainfo/piece-layers.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { ContentSource, OpenContent, PieceVerdict } from "../ports/content.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { CheckedTorrent, TorrentRow, TorrentTable } from "../store/torrents.ts";
import type { DataFolder } from "./data-folder.ts";
import { lookAtFiles } from "./content-stamp.ts";
import { realFiles } from "./damaged-files.ts";
import { existingFiles, infoOnDisk } from "./in-place.ts";
import type { ContentChange } from "./in-place-watch.ts";
import { pauseMs, type ScanPace } from "./scan-pace.ts";
import type { TorrentLibrary } from "./torrent-library.ts";
import type { Workers } from "./turns.ts";

/** The pause of a torrent after a full check. */
const REST_MS = 30 * 24 * 3600_000;
/** The first minutes after a start belong to the people who waited for it. */
const START_MS = 5 * 60_000;
/** Slow enough to go unnoticed; still 20 TB between two checks of a torrent. */
export const BYTES_PER_MS = 8_000;
/** A million torrents of 20 MB are passed within the month. */
export const SCRUB_PACE: ScanPace = {
  wholeMs: 20 * 24 * 3600_000,
  pauseMsMin: 20,
  pauseMsMax: 1_000,
  // The bytes have a pace of their own.
  restShare: 0,
};
/** For files that somebody has written to: readers of the torrent's page want to know soon. */
const BYTES_PER_MS_URGENT = 64_000;
/** When all have been checked, damaged torrents are checked again after this pause. */
const PAUSE_MS = 6 * 3600_000;

interface ContentScrubOptions {
  readonly torrents: Pick<TorrentTable, "afterChecked" | "setChecked" | "setStamp" | "totals">;
  readonly library: TorrentLibrary;
  readonly folder: DataFolder;
  readonly files: Pick<Files, "stat">;
  readonly content: ContentSource;
  readonly clock: Clock;
  /** Opens the content of 100,000 files a few milliseconds at a time. */
  readonly turns: Workers;
  readonly log: Log;
  readonly report: (torrent: TorrentRow, piece: number, intact: boolean) => void;
}

/**
 * Compares every stored byte with its hash, slowly and again each month. It finds damage that does not change a
 * file's length before somebody asks for the file, and gives "checked" on a page a real date (HUB-19). One piece at a
 * time; after a restart, the interrupted torrent begins anew. Changed files in their owners' folders are compared at
 * once, between two pieces of the running check.
 */
export class ContentScrub {
  readonly #options: ContentScrubOptions;
  /** The torrent that came last: those that were not checked for longest come first. */
  #last: CheckedTorrent | undefined;
  #timer: Timer | undefined;
  #running = false;
  /** Waiting for the next torrent's time. */
  #resting = false;
  readonly #urgent = new Map<string, { torrent: TorrentRow; change: ContentChange }>();
  #endRest: () => void = () => undefined;

  constructor(options: ContentScrubOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = true;
    this.#after(START_MS);
  }

  stop(): void {
    this.#running = false;
    this.#timer?.cancel();
    this.#endRest();
  }

  /** Compares these files next, because there is a reason to doubt them. */
  hurry(torrent: TorrentRow, change: ContentChange): void {
    const waiting = this.#urgent.get(torrent.id)?.change;
    this.#urgent.set(torrent.id, {
      torrent,
      change: waiting ? { ...change, files: union(waiting.files, change.files) } : change,
    });
    if (!this.#resting) return;
    this.#timer?.cancel();
    this.#after(0);
  }

  #after(delayMs: number): void {
    if (!this.#running) return;
    this.#resting = true;
    this.#timer = this.#options.clock.startTimer(delayMs, () => void this.#next());
  }

  /** Never rejects: a failure is logged, and the next torrent follows. */
  async #next(): Promise<void> {
    const { torrents, clock, log } = this.#options;
    let delayMs = PAUSE_MS;
    this.#resting = false;
    try {
      await this.#hurryAll();
      const row = await torrents.afterChecked(this.#last, clock.wallMs() - REST_MS);
      this.#last = row;
      if (row) {
        const beginMs = clock.nowMs();
        delayMs = SCRUB_PACE.pauseMsMax;
        await this.#scrub(row);
        const { torrents: count } = await torrents.totals();
        delayMs = pauseMs(SCRUB_PACE, count, clock.nowMs() - beginMs);
      }
    } catch (error) {
      log.warn("what is stored could not be compared with its hashes", { why: String(error) });
    }
    this.#after(delayMs);
  }

  async #hurryAll(): Promise<void> {
    for (const [id, { torrent, change }] of this.#urgent) {
      this.#urgent.delete(id);
      await this.#scrub(torrent, change);
    }
  }

  /** @param change - The files in doubt; all of them when undefined. */
  async #scrub(row: TorrentRow, change?: ContentChange): Promise<void> {
    const { library, folder, content, torrents, clock, turns, report } = this.#options;
    const metainfo = await library.load(row);
    if (!metainfo) return;
    const { pieceLayers } = metainfo;
    const info = infoOnDisk(row, metainfo.info);
    const root = folder.contentRoot(row);
    const hashesV2 = await turns.run(pieceHashesV2InSteps(info, pieceLayers));
    const existing = existingFiles(row);
    const layout = await turns.run(contentLayoutInSteps(info, { root, hashesV2, existing }));
    // Taken before the first byte is read, so that a later write changes it.
    const stamp = change?.stamp ?? (await this.#stampOf(row, info));
    const bytesPerMs = change ? BYTES_PER_MS_URGENT : BYTES_PER_MS;
    if (!this.#running) return;
    const open = await turns.run(openInSteps(content, { ...layout, readOnly: true }));
    let whole = true;
    try {
      for (const piece of piecesOf(info, change?.files)) {
        if (!change) await this.#hurryAll();
        const verdict = await verdictOf(open, piece);
        // The rounds handle missing files; a piece that the disk cannot read is lost.
        if (verdict.kind === "failure" && verdict.code !== "EIO") return;
        if (!this.#running) return;
        const intact = verdict.kind === "intact";
        whole &&= intact;
        report(row, piece, intact);
        await this.#rest(info.geometry.requestSize(piece) / bytesPerMs);
      }
    } finally {
      await new Promise<void>((resolve) => open.bytes.close(resolve));
    }
    if (!whole || !this.#running) return;
    if (!change?.files) await torrents.setChecked(row.id, clock.wallMs(), stamp);
    else await torrents.setStamp(row.id, change.stamp);
  }

  /** @returns Null for content in our own folder, which nobody else writes to. */
  async #stampOf(row: TorrentRow, info: TorrentInfo): Promise<string | null> {
    if (row.content_root === null) return null;
    const paths = realFiles(info).map(({ path }) => `${row.content_root}/${path.join("/")}`);
    return (await lookAtFiles(paths, this.#options.files)).stamp;
  }

  async #rest(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#endRest = resolve;
      this.#timer = this.#options.clock.startTimer(delayMs, resolve);
    });
  }
}

/** @param files - Indexes of real files; undefined means all pieces. A piece shared by two files comes once. */
function* piecesOf(info: TorrentInfo, files: ReadonlySet<number> | undefined): Iterable<number> {
  const { geometry } = info;
  let next = 0;
  let index = -1;
  for (const [place, file] of files ? info.files.entries() : []) {
    if (file.pad || file.linkTarget) continue;
    index += 1;
    if (!files?.has(index)) continue;
    const { first, end } = geometry.filePieces(place);
    for (next = Math.max(next, first); next < end; next += 1) yield next;
  }
  for (; !files && next < geometry.pieceCount; next += 1) yield next;
}

function union(
  a: ReadonlySet<number> | undefined,
  b: ReadonlySet<number> | undefined,
): ReadonlySet<number> | undefined {
  return a && b && new Set([...a, ...b]);
}

async function verdictOf({ judge }: OpenContent, piece: number): Promise<PieceVerdict> {
  return new Promise((resolve) => judge.verify(piece, { digests: false }, resolve));
}
