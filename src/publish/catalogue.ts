import type { Infohashes } from "../base/infohash.ts";
import { formatMagnet } from "../metainfo/magnet.ts";
import type { Metainfo, TorrentKind } from "../metainfo/metainfo.ts";
import type { DraftTable } from "../store/drafts.ts";
import type { CatalogueTotals, TorrentRow, TorrentTable } from "../store/torrents.ts";
import type { DataFolder } from "./data-folder.ts";
import type { TorrentLibrary } from "./torrent-library.ts";

/** One published torrent, as it is listed. */
export interface Listing {
  readonly id: string;
  readonly name: string;
  /** Bytes of all files. */
  readonly size: number;
  readonly fileCount: number;
  readonly kind: TorrentKind;
  readonly folder: boolean;
  readonly private: boolean;
  readonly infohashes: Infohashes;
  readonly pieceSize: number;
  readonly pieceCount: number;
  readonly comment: string | null;
  /** Null when the account is gone. */
  readonly publisher: string | null;
  readonly publishedMs: number;
  readonly checkedMs: number;
}

/** A real file of a torrent: padding is left out and does not count. */
export interface ListedFile {
  readonly index: number;
  /** Below the torrent's folder; the name itself when the torrent is one file. */
  readonly path: string;
  readonly size: number;
}

/** A file that can be downloaded. */
export interface StoredFile extends ListedFile {
  /** Absolute path on this machine. */
  readonly location: string;
  /** Changes when the bytes do: the infohash and the index. */
  readonly version: string;
}

/** What is published, for people and programs to look at. */
export class Catalogue {
  readonly #torrents: TorrentTable;
  readonly #drafts: DraftTable;
  readonly #library: TorrentLibrary;
  readonly #folder: DataFolder;

  constructor(parts: {
    torrents: TorrentTable;
    drafts: DraftTable;
    library: TorrentLibrary;
    folder: DataFolder;
  }) {
    this.#torrents = parts.torrents;
    this.#drafts = parts.drafts;
    this.#library = parts.library;
    this.#folder = parts.folder;
  }

  /** Newest first. */
  async search(search: {
    query: string;
    limit: number;
    offset: number;
  }): Promise<{ total: number; similar: boolean; listings: Listing[] }> {
    const { rows, ...found } = await this.#torrents.search(search);
    return { ...found, listings: rows.map(listing) };
  }

  async totals(): Promise<CatalogueTotals> {
    return this.#torrents.totals();
  }

  /** @param id - Of the torrent, or of the draft it came from: links from the first second go on working. */
  async find(id: string): Promise<Listing | undefined> {
    const row = await this.#row(id);
    return row && listing(row);
  }

  /** The .torrent file. */
  async torrentFile(id: string): Promise<Uint8Array | undefined> {
    const row = await this.#row(id);
    return row && this.#library.read(row);
  }

  /** What the .torrent file says. */
  async metainfo(id: string): Promise<Metainfo | undefined> {
    const row = await this.#row(id);
    return row && this.#library.load(row);
  }

  /** Real files in the torrent's order. */
  async files(id: string): Promise<ListedFile[]> {
    const metainfo = await this.metainfo(id);
    return metainfo ? listedFiles(metainfo) : [];
  }

  /** One file by its index, for a direct download: names from outside play no part (HUB-6). */
  async file(id: string, index: number): Promise<StoredFile | undefined> {
    const row = await this.#row(id);
    const metainfo = row && (await this.#library.load(row));
    const file = metainfo?.info.files.filter((entry) => !entry.pad && !entry.linkTarget)[index];
    if (!row || !file) return undefined;
    const root = this.#folder.absolute(row.content_path);
    return {
      index,
      path: file.path.join("/"),
      size: file.length,
      location: `${root}/${file.path.join("/")}`,
      version: `${row.id}-${index}-${row.published_at}`,
    };
  }

  async #row(id: string): Promise<TorrentRow | undefined> {
    const row = await this.#torrents.find(id);
    if (row) return row;
    const torrentId = (await this.#drafts.find(id))?.torrent_id;
    return torrentId ? this.#torrents.find(torrentId) : undefined;
  }
}

/** A magnet link with everything that helps to find peers. */
export function magnetOf(listing: Listing, trackers: readonly string[]): string {
  return formatMagnet({
    infohashes: listing.infohashes,
    name: listing.name,
    exactLength: listing.size,
    trackers,
  });
}

function listing(row: TorrentRow): Listing {
  return {
    id: row.id,
    name: row.name,
    size: row.size,
    fileCount: row.file_count,
    kind: row.kind,
    folder: row.folder === 1,
    private: row.private === 1,
    infohashes: { v1: row.infohash_v1 ?? undefined, v2: row.infohash_v2 ?? undefined },
    pieceSize: row.piece_size,
    pieceCount: row.piece_count,
    comment: row.comment,
    publisher: row.publisher,
    publishedMs: row.published_at,
    checkedMs: row.checked_at,
  };
}

function listedFiles(metainfo: Metainfo): ListedFile[] {
  const { info } = metainfo;
  return info.files
    .filter((file) => !file.pad && !file.linkTarget)
    .map((file, index) => ({
      index,
      // The folder's own name stands above the list.
      path: (info.folder ? file.path.slice(1) : file.path).join("/"),
      size: file.length,
    }));
}
