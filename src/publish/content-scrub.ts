import { contentLayout } from "../engine/content-layout.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import { pieceHashesV2 } from "../metainfo/piece-layers.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { ContentSource, OpenContent, PieceVerdict } from "../ports/content.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { TorrentRow, TorrentTable } from "../store/torrents.ts";
import type { DataFolder } from "./data-folder.ts";
import { lookAtFiles } from "./content-stamp.ts";
import { realFiles } from "./damaged-files.ts";
import { existingFiles, infoOnDisk } from "./in-place.ts";
import type { ContentChange } from "./in-place-watch.ts";
import type { TorrentLibrary } from "./torrent-library.ts";

/** A torrent rests so long after a look at every byte. */
const REST_MS = 30 * 24 * 3600_000;
/** The first minutes belong to those who waited for the start. */
const START_MS = 5 * 60_000;
/** Slow enough that nobody notices; 20 TB in the time of a rest. */
const BYTES_PER_MS = 8_000;
/** For files that somebody has written to: whoever looks at the torrent's page wants to know. */
const BYTES_PER_MS_URGENT = 64_000;
/** When all have been looked at, those that are damaged are looked at again after this. */
const PAUSE_MS = 6 * 3600_000;

interface ContentScrubOptions {
  readonly torrents: Pick<TorrentTable, "afterChecked" | "setChecked" | "setStamp">;
  readonly library: TorrentLibrary;
  readonly folder: DataFolder;
  readonly files: Pick<Files, "stat">;
  readonly content: ContentSource;
  readonly clock: Clock;
  readonly log: Log;
  readonly report: (torrent: TorrentRow, piece: number, intact: boolean) => void;
}

/**
 * Compares every stored byte with its hash, slowly and again each month: damage that leaves a file's length alone
 * is known before somebody asks for it, and "checked" on a page has a date that means it (HUB-19). One piece at
 * a time; after a restart the torrent that was under way begins anew. Files of others that changed are compared at once,
 * between two pieces of whatever is under way.
 */
export class ContentScrub {
  readonly #options: ContentScrubOptions;
  #seq = 0;
  #timer: Timer | undefined;
  #running = false;
  /** Waits for the time of the next torrent. */
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

  /** Compares these files next: there is a reason to. */
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

  /** Never rejects: what went wrong is in the log, and the next torrent's turn comes. */
  async #next(): Promise<void> {
    const { torrents, clock, log } = this.#options;
    let delayMs = PAUSE_MS;
    this.#resting = false;
    try {
      await this.#hurryAll();
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

  async #hurryAll(): Promise<void> {
    for (const [id, { torrent, change }] of this.#urgent) {
      this.#urgent.delete(id);
      await this.#scrub(torrent, change);
    }
  }

  /** @param change - What of it is in doubt; everything, when nobody says. */
  async #scrub(row: TorrentRow, change?: ContentChange): Promise<void> {
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
    // Before the first byte is read: what is written meanwhile looks different afterwards.
    const stamp = change?.stamp ?? (await this.#stampOf(row, info));
    const bytesPerMs = change ? BYTES_PER_MS_URGENT : BYTES_PER_MS;
    const open = content.open({ ...layout, readOnly: true });
    let whole = true;
    try {
      for (const piece of piecesOf(info, change?.files)) {
        if (!change) await this.#hurryAll();
        const verdict = await verdictOf(open, piece);
        // The rounds look after files that are gone; the disk that cannot read a piece has lost it.
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

  /** @returns Null for content of our own, which nobody else writes to. */
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

/** @param files - Real files, by their index; all pieces when undefined. A piece that two files share comes once. */
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
