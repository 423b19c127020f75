import type { Metainfo } from "../metainfo/metainfo.ts";
import { MetainfoError } from "../metainfo/metainfo-error.ts";
import { parseMetainfo } from "../metainfo/parse-metainfo.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { TorrentRow } from "../store/torrents.ts";
import type { DataFolder } from "./data-folder.ts";

/** Bytes of .torrent files whose parsed form is kept; the form takes a few times as much. */
const KEPT_BYTES_MAX = 16 * 1024 * 1024;

type Located = Pick<TorrentRow, "id" | "metainfo_path">;

interface StoredTorrent {
  readonly metainfo: Metainfo;
  /** What `metainfo` was read from, and aliases. */
  readonly file: Uint8Array;
}

/** The .torrent files of what is published, read when they are needed and kept for a while. */
export class TorrentLibrary {
  readonly #files: Files;
  readonly #folder: DataFolder;
  readonly #log: Log;
  /** In the order of last use. */
  readonly #kept = new Map<string, StoredTorrent>();
  #keptBytes = 0;

  constructor(files: Files, folder: DataFolder, log: Log) {
    this.#files = files;
    this.#folder = folder;
    this.#log = log;
  }

  /** @returns `undefined` when the file is gone or damaged; that is logged. */
  async load(row: Located): Promise<Metainfo | undefined> {
    return (await this.#find(row))?.metainfo;
  }

  /** The bytes of a .torrent file that `load` would take; they are shared, so read only. */
  async file(row: Located): Promise<Uint8Array | undefined> {
    return (await this.#find(row))?.file;
  }

  /** The files of this torrent are gone. */
  forget(id: string): void {
    const kept = this.#kept.get(id);
    if (!kept) return;
    this.#kept.delete(id);
    this.#keptBytes -= kept.file.length;
  }

  async #find(row: Located): Promise<StoredTorrent | undefined> {
    const kept = this.#kept.get(row.id);
    if (kept) {
      this.#kept.delete(row.id);
      this.#kept.set(row.id, kept);
      return kept;
    }
    const bytes = await this.#files.read(this.#folder.absolute(row.metainfo_path));
    if (!bytes) {
      this.#log.error("a .torrent file is missing", { path: row.metainfo_path });
      return undefined;
    }
    try {
      const stored = { metainfo: parseMetainfo(bytes), file: bytes };
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
    if (stored.file.length > KEPT_BYTES_MAX || this.#kept.has(id)) return;
    this.#kept.set(id, stored);
    this.#keptBytes += stored.file.length;
    for (const [oldest, { file }] of this.#kept) {
      if (this.#keptBytes <= KEPT_BYTES_MAX) return;
      this.#kept.delete(oldest);
      this.#keptBytes -= file.length;
    }
  }
}
