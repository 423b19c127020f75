import type { TorrentInfo } from "../metainfo/metainfo.ts";
import { realFiles } from "./damaged-files.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { TorrentRow, TorrentTable } from "../store/torrents.ts";
import type { FilesFound } from "./content-faults.ts";
import type { DataFolder } from "./data-folder.ts";
import { infoOnDisk } from "./in-place.ts";
import type { TorrentLibrary } from "./torrent-library.ts";

// At this pace a round through 10,000 torrents takes under six hours, and the load on the disk is negligible.
const STEP_MS = 2_000;

interface ContentRoundsOptions {
  readonly torrents: Pick<TorrentTable, "after">;
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
    this.#schedule();
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

  #schedule(): void {
    if (!this.#running) return;
    this.#timer = this.#options.clock.startTimer(STEP_MS, () => {
      this.#step()
        .catch((error: unknown) => {
          this.#options.log.warn("a torrent could not be looked at", { why: String(error) });
        })
        .finally(() => this.#schedule());
    });
  }

  async #step(): Promise<void> {
    const row = await this.#options.torrents.after(this.#seq);
    this.#seq = row?.seq ?? 0;
    if (row) this.#options.report(row.id, await this.#find(row));
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
