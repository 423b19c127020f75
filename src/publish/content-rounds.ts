import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { TorrentRow, TorrentTable } from "../store/torrents.ts";
import type { DataFolder } from "./data-folder.ts";
import type { TorrentLibrary } from "./torrent-library.ts";

// A round through 10,000 torrents takes under six hours, and no disk notices it.
const STEP_MS = 2_000;

interface ContentRoundsOptions {
  readonly torrents: Pick<TorrentTable, "after">;
  readonly library: TorrentLibrary;
  readonly folder: DataFolder;
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Log;
  /** @param fault - In words for everybody, so without paths; `undefined` when all is as it was. */
  readonly report: (torrentId: string, fault: string | undefined) => void;
}

/**
 * Walks through the catalogue for ever, one torrent a step, and looks whether its files are there in their full
 * length. What a lost disk or a careless hand took is known before somebody asks for it (HUB-19); bytes
 * that changed are found by the engine, which judges every piece before it is sent.
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
    if (row) this.#options.report(row.id, await this.#faultOf(row));
  }

  async #faultOf(row: TorrentRow): Promise<string | undefined> {
    const { library, folder, files } = this.#options;
    const metainfo = await library.load(row);
    if (!metainfo) return "Its .torrent file is lost.";
    const { info } = metainfo;
    const lost = await countLostFiles(info, folder.absolute(row.content_path), files);
    if (lost === 0) return undefined;
    return `${lost} of ${realFiles(info).length} files are lost or have another length on the disk of this hub.`;
  }
}

/** @returns How many files are not there, or not in their full length. */
export async function countLostFiles(
  info: TorrentInfo,
  root: string,
  files: Files,
): Promise<number> {
  let lost = 0;
  for (const file of realFiles(info)) {
    const facts = await files.stat(`${root}/${file.path.join("/")}`);
    if (!facts || facts.folder || facts.size !== file.length) lost += 1;
  }
  return lost;
}

function realFiles(info: TorrentInfo): readonly TorrentInfo["files"][number][] {
  return info.files.filter((file) => !file.pad && !file.linkTarget);
}
