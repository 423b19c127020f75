import type { Metainfo } from "../metainfo/metainfo.ts";
import { MetainfoError } from "../metainfo/metainfo-error.ts";
import { parseMetainfoInSteps } from "../metainfo/parse-metainfo.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { TorrentRow } from "../store/torrents.ts";
import type { DataFolder } from "./data-folder.ts";
import type { Turns, Workers } from "./turns.ts";

/**
 * Bytes of .torrent files whose parsed form is cached; the form takes a few times as much. At least one is kept,
 * because a large one would otherwise be parsed for every request.
 */
const KEPT_BYTES_MAX = 16 * 1024 * 1024;

type Located = Pick<TorrentRow, "id" | "metainfo_path">;

export interface StoredTorrent {
  readonly metainfo: Metainfo;
  /** The bytes that `metainfo` was parsed from and contains views of. */
  readonly file: Uint8Array;
}

/** The .torrent files of the published torrents, read on demand and cached. */
export class TorrentLibrary {
  readonly #files: Files;
  readonly #folder: DataFolder;
  readonly #log: Log;
  readonly #turns: Turns;
  /** In the order of last use. */
  readonly #kept = new Map<string, StoredTorrent>();
  #keptBytes = 0;
  /** Concurrent requests for a file share one reading. */
  readonly #loading = new Map<string, Promise<StoredTorrent | undefined>>();

  constructor(parts: {
    readonly files: Files;
    readonly folder: DataFolder;
    readonly log: Log;
    readonly turns: Turns;
  }) {
    this.#files = parts.files;
    this.#folder = parts.folder;
    this.#log = parts.log;
    this.#turns = parts.turns;
  }

  /**
   * @param workers - Pays for the reading; by default the hub itself.
   * @returns `undefined` when the file is gone or damaged, which is logged.
   */
  async load(row: Located, workers: Workers = this.#turns): Promise<Metainfo | undefined> {
    return (await this.#find(row, workers))?.metainfo;
  }

  /** Like `load`, plus the bytes of the file; they are shared, so do not change them. */
  async file(row: Located, workers: Workers = this.#turns): Promise<StoredTorrent | undefined> {
    return this.#find(row, workers);
  }

  /** The torrent's files are gone. */
  forget(id: string): void {
    const kept = this.#kept.get(id);
    if (!kept) return;
    this.#kept.delete(id);
    this.#keptBytes -= kept.file.length;
  }

  async #find(row: Located, workers: Workers): Promise<StoredTorrent | undefined> {
    const kept = this.#kept.get(row.id);
    if (kept) {
      this.#kept.delete(row.id);
      this.#kept.set(row.id, kept);
      return kept;
    }
    const others = this.#loading.get(row.id);
    // It may have failed only because the first caller's allowance was spent.
    if (others) return others.catch(() => this.#find(row, workers));
    const loading = this.#read(row, workers).finally(() => this.#loading.delete(row.id));
    this.#loading.set(row.id, loading);
    return loading;
  }

  async #read(row: Located, workers: Workers): Promise<StoredTorrent | undefined> {
    const bytes = await this.#files.read(this.#folder.absolute(row.metainfo_path));
    if (!bytes) {
      this.#log.error("a .torrent file is missing", { path: row.metainfo_path });
      return undefined;
    }
    try {
      const metainfo = await workers.run(parseMetainfoInSteps(bytes));
      const stored = { metainfo, file: bytes };
      this.#keep(row.id, stored);
      return stored;
    } catch (error) {
      if (!(error instanceof MetainfoError)) throw error;
      this.#log.error("a .torrent file is damaged", {
        path: row.metainfo_path,
        why: error.message,
      });
      return undefined;
    }
  }

  #keep(id: string, stored: StoredTorrent): void {
    if (this.#kept.has(id)) return;
    this.#kept.set(id, stored);
    this.#keptBytes += stored.file.length;
    for (const [oldest, { file }] of this.#kept) {
      if (this.#keptBytes <= KEPT_BYTES_MAX || this.#kept.size === 1) return;
      this.#kept.delete(oldest);
      this.#keptBytes -= file.length;
    }
  }
}
