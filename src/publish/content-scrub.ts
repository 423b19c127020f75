import { contentLayout } from "../engine/content-layout.ts";
import { pieceHashesV2 } from "../metainfo/piece-layers.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Content, ContentSource, PieceVerdict } from "../ports/content.ts";
import type { Log } from "../ports/log.ts";
import type { TorrentRow, TorrentTable } from "../store/torrents.ts";
import type { DataFolder } from "./data-folder.ts";
import { existingFiles, infoOnDisk } from "./in-place.ts";
import type { TorrentLibrary } from "./torrent-library.ts";

/** A torrent rests so long after a look at every byte. */
const REST_MS = 30 * 24 * 3600_000;
/** The first minutes belong to those who waited for the start. */
const START_MS = 5 * 60_000;
/** Slow enough that nobody notices; 20 TB in the time of a rest. */
const BYTES_PER_MS = 8_000;
/** When all have been looked at, those that are damaged are looked at again after this. */
const PAUSE_MS = 6 * 3600_000;

interface ContentScrubOptions {
  readonly torrents: Pick<TorrentTable, "afterChecked" | "setChecked">;
  readonly library: TorrentLibrary;
  readonly folder: DataFolder;
  readonly content: ContentSource;
  readonly clock: Clock;
  readonly log: Log;
  readonly report: (torrent: TorrentRow, piece: number, intact: boolean) => void;
}

/**
 * Compares every stored byte with its hash, slowly and again each month: damage that leaves a file's length alone
 * is known before somebody asks for it, and "checked" on a page has a date that means it (HUB-19). One piece at
 * a time; after a restart the torrent that was under way begins anew.
 */
export class ContentScrub {
  readonly #options: ContentScrubOptions;
  #seq = 0;
  #timer: Timer | undefined;
  #running = false;
  /** Waits for the time of the next torrent. */
  #resting = false;
  readonly #urgent = new Map<string, TorrentRow>();
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

  /** Compares this torrent next: there is a reason to. */
  hurry(torrent: TorrentRow): void {
    this.#urgent.set(torrent.id, torrent);
    if (!this.#resting) return;
    this.#timer?.cancel();
    this.#after(0);
  }

  #after(delayMs: number): void {
    if (!this.#running) return;
    this.#resting = true;
    this.#timer = this.#options.clock.startTimer(delayMs, () => void this.#next());
  }

  /** Never rejects: what went wrong is in the log, and the next torrent's turn comes. */
  async #next(): Promise<void> {
    const { torrents, clock, log } = this.#options;
    let delayMs = PAUSE_MS;
    this.#resting = false;
    try {
      for (const [id, row] of this.#urgent) {
        this.#urgent.delete(id);
        await this.#scrub(row);
      }
      const row = await torrents.afterChecked(this.#seq, clock.wallMs() - REST_MS);
      this.#seq = row?.seq ?? 0;
      if (row) {
        await this.#scrub(row);
        delayMs = 1_000;
      }
    } catch (error) {
      log.warn("what is stored could not be compared with its hashes", { why: String(error) });
    }
    this.#after(delayMs);
  }

  async #scrub(row: TorrentRow): Promise<void> {
    const { library, folder, content, torrents, clock, report } = this.#options;
    const metainfo = await library.load(row);
    if (!metainfo) return;
    const { pieceLayers } = metainfo;
    const info = infoOnDisk(row, metainfo.info);
    const layout = contentLayout(
      info,
      folder.contentRoot(row),
      pieceHashesV2(info, pieceLayers),
      existingFiles(row),
    );
    const open = content.open({ ...layout, readOnly: true });
    let whole = true;
    try {
      for (let piece = 0; piece < info.geometry.pieceCount; piece += 1) {
        const verdict = await judge(open, piece);
        // The rounds look after files that are gone; the disk that cannot read a piece has lost it.
        if (verdict.kind === "failure" && verdict.code !== "EIO") return;
        if (!this.#running) return;
        const intact = verdict.kind === "intact";
        whole &&= intact;
        report(row, piece, intact);
        await this.#rest(info.geometry.requestSize(piece) / BYTES_PER_MS);
      }
    } finally {
      await new Promise<void>((resolve) => open.close(resolve));
    }
    if (whole && this.#running) await torrents.setChecked(row.id, clock.wallMs());
  }

  async #rest(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#endRest = resolve;
      this.#timer = this.#options.clock.startTimer(delayMs, resolve);
    });
  }
}

async function judge(content: Content, piece: number): Promise<PieceVerdict> {
  return new Promise((resolve) => content.verify(piece, { digests: false }, resolve));
}
