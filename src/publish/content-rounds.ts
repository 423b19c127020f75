import type { TorrentInfo } from "../metainfo/metainfo.ts";
import { realFiles } from "./damaged-files.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { TorrentRow, TorrentTable } from "../store/torrents.ts";
import type { FilesFound } from "./content-faults.ts";
import type { DataFolder } from "./data-folder.ts";
import { infoOnDisk } from "./in-place.ts";
import { pauseMs, type ScanPace } from "./scan-pace.ts";
import type { TorrentLibrary } from "./torrent-library.ts";

/** 10,000 torrents are passed in under six hours with a negligible load on the disk, a million in a week. */
export const ROUND_PACE: ScanPace = {
  wholeMs: 7 * 24 * 3600_000,
  pauseMsMin: 50,
  pauseMsMax: 2_000,
  restShare: 1,
};

interface ContentRoundsOptions {
  readonly torrents: Pick<TorrentTable, "after" | "totals">;
  readonly library: TorrentLibrary;
  readonly folder: DataFolder;
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Log;
  readonly report: (torrentId: string, found: FilesFound) => void;
}

/**
 * Walks through the catalogue for ever, one torrent a step, and checks that its files are there in their full length.
 * So the hub knows about a lost disk or a deleted file before somebody asks for it (HUB-19). The engine finds changed
 * bytes, because it verifies every piece before it is sent. For files in their owners' folders see
 * `in-place-watch.ts`.
 */
export class ContentRounds {
  readonly #options: ContentRoundsOptions;
  #seq = 0;
  #timer: Timer | undefined;
  #running = false;

  constructor(options: ContentRoundsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = true;
    this.#schedule(ROUND_PACE.pauseMsMax);
  }

  stop(): void {
    this.#running = false;
    this.#timer?.cancel();
  }

  /** Checks one torrent out of turn, because damage was found. Never rejects. */
  async look(row: TorrentRow): Promise<void> {
    try {
      this.#options.report(row.id, await this.#find(row));
    } catch (error) {
      this.#options.log.warn("a torrent could not be looked at", {
        id: row.id,
        why: String(error),
      });
    }
  }

  #schedule(delayMs: number): void {
    if (!this.#running) return;
    this.#timer = this.#options.clock.startTimer(delayMs, () => {
      void this.#step().then((nextMs) => this.#schedule(nextMs));
    });
  }

  /** Never rejects. @returns The pause before the next step. */
  async #step(): Promise<number> {
    const { torrents, clock, log, report } = this.#options;
    const beginMs = clock.nowMs();
    try {
      const row = await torrents.after(this.#seq);
      this.#seq = row?.seq ?? 0;
      if (!row) return ROUND_PACE.pauseMsMax;
      report(row.id, await this.#find(row));
      return pauseMs(ROUND_PACE, (await torrents.totals()).torrents, clock.nowMs() - beginMs);
    } catch (error) {
      log.warn("a torrent could not be looked at", { why: String(error) });
      return ROUND_PACE.pauseMsMax;
    }
  }

  async #find(row: TorrentRow): Promise<FilesFound> {
    const { library, folder, files } = this.#options;
    const metainfo = await library.load(row);
    if (!metainfo) return { kind: "no-metainfo" };
    const info = infoOnDisk(row, metainfo.info);
    const root = folder.contentRoot(row);
    const lost = await findLostFiles(info, root, files);
    return { kind: "files", lost, fileCount: realFiles(info).length };
  }
}

/** @returns The number of files that are missing or do not have their full length. */
export async function countLostFiles(
  info: TorrentInfo,
  root: string,
  files: Files,
): Promise<number> {
  return (await findLostFiles(info, root, files)).size;
}

/** @returns Indexes of the real files that are missing or do not have their full length. */
async function findLostFiles(info: TorrentInfo, root: string, files: Files): Promise<Set<number>> {
  const lost = new Set<number>();
  for (const [index, file] of realFiles(info).entries()) {
    const facts = await files.stat(`${root}/${file.path.join("/")}`);
    if (!facts || facts.folder || facts.size !== file.length) lost.add(index);
  }
  return lost;
}
