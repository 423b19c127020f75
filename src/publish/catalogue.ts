import type { Infohashes } from "../base/infohash.ts";
import { formatMagnet } from "../metainfo/magnet.ts";
import type { Metainfo, TorrentKind } from "../metainfo/metainfo.ts";
import { surroundInfo } from "../metainfo/surround-info.ts";
import type { DraftTable } from "../store/drafts.ts";
import type { CatalogueTotals, TorrentRow, TorrentTable } from "../store/torrents.ts";
import type { Work } from "../base/work.ts";
import type { DataFolder } from "./data-folder.ts";
import { FileIndex, FileList, type ListedFile } from "./file-list.ts";
import { namedInOldFile, withOwnTrackers } from "./named-trackers.ts";
import type { TorrentLibrary } from "./torrent-library.ts";
import type { Turns, Workers } from "./turns.ts";

/** Files whose paths are built before other work gets a turn. */
const FILES_PER_STEP = 256;

/** One published torrent, as lists show it. */
export interface Listing {
  readonly id: string;
  /** The title: free text, no name of a file. */
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
  readonly publisherId: string;
  readonly publishedMs: number;
  readonly checkedMs: number;
  /** Tiers of announce URLs besides the hub's own. */
  readonly namedTrackers: readonly (readonly string[])[];
}

/** The hub's current addresses. They are never stored with a torrent, because addresses are not content. */
export interface HubAddresses {
  /** Announce URLs. */
  readonly trackers: readonly string[];
  /** URLs of the torrent's content over HTTP (BEP 19). */
  readonly webSeeds: readonly string[];
}

/** A file that can be downloaded. */
export interface StoredFile extends ListedFile {
  readonly torrentId: string;
  /** Absolute path on this machine. */
  readonly location: string;
  /** Changes with the bytes: the infohash and the index. */
  readonly version: string;
}

/** The published torrents, for people and programs. */
export class Catalogue {
  readonly #torrents: TorrentTable;
  readonly #drafts: DraftTable;
  readonly #library: TorrentLibrary;
  readonly #folder: DataFolder;
  readonly #turns: Turns;
  // Built on first use, and kept as long as the library keeps the metainfo.
  readonly #lists = new WeakMap<Metainfo, FileList>();
  readonly #indexes = new WeakMap<Metainfo, Promise<FileIndex>>();
  readonly #paths = new WeakMap<Metainfo, Promise<ReadonlyMap<string, number>>>();

  constructor(parts: {
    torrents: TorrentTable;
    drafts: DraftTable;
    library: TorrentLibrary;
    folder: DataFolder;
    turns: Turns;
  }) {
    this.#torrents = parts.torrents;
    this.#drafts = parts.drafts;
    this.#library = parts.library;
    this.#folder = parts.folder;
    this.#turns = parts.turns;
  }

  /**
   * Newest first.
   *
   * @param workers - Pays for work that grows with the catalogue.
   */
  async search(
    search: { readonly query: string; readonly limit: number; readonly offset: number },
    workers: Workers = this.#turns,
  ): Promise<{ total: number; more: boolean; similar: boolean; listings: Listing[] }> {
    const { rows, ...found } = await this.#torrents.search(search, (work) => workers.run(work));
    return { ...found, listings: await Promise.all(rows.map((row) => this.#listing(row))) };
  }

  /** Goes up with every change that a list or a page shows. */
  get revision(): number {
    return this.#torrents.revision;
  }

  async totals(): Promise<CatalogueTotals> {
    return this.#torrents.totals();
  }

  /** @param id - Of the torrent, or of the draft it came from: links from before publication keep working. */
  async find(id: string): Promise<Listing | undefined> {
    const row = await this.#row(id);
    return row && this.#listing(row);
  }

  /** The .torrent file for the current reader: the hub's addresses around an info dictionary that never changes. */
  async torrentFile(
    listing: Listing,
    addresses: HubAddresses,
    workers: Workers = this.#turns,
  ): Promise<Uint8Array | undefined> {
    const row = await this.#row(listing.id);
    const stored = row && (await this.#library.file(row, workers));
    if (!stored) return undefined;
    const around = {
      trackers: withOwnTrackers(addresses.trackers, listing.namedTrackers),
      // The hub's own web seeds of another time are not among those that the maker named.
      webSeeds: [
        ...addresses.webSeeds,
        ...stored.metainfo.webSeeds.filter((url) => !url.includes(`/t/${listing.id}/`)),
      ],
      comment: listing.comment ?? undefined,
    };
    return surroundInfo(stored.file, around, stored.metainfo.info.infoBytes);
  }

  /** The parsed .torrent file. @param workers - Pays when the file must be read. */
  async metainfo(id: string, workers: Workers = this.#turns): Promise<Metainfo | undefined> {
    const row = await this.#row(id);
    return row && this.#library.load(row, workers);
  }

  /** Real files in the torrent's order. @returns `undefined` when the .torrent file is gone. */
  async files(id: string, workers: Workers = this.#turns): Promise<FileList | undefined> {
    const metainfo = await this.metainfo(id, workers);
    return metainfo && this.#list(metainfo);
  }

  /** The same in natural order, for browsing and search. */
  async fileIndex(id: string, workers: Workers = this.#turns): Promise<FileIndex | undefined> {
    const metainfo = await this.metainfo(id, workers);
    return (
      metainfo &&
      shared(this.#indexes, metainfo, () => workers.run(FileIndex.build(this.#list(metainfo))))
    );
  }

  /** One file by its index, for a direct download: names from outside are not used (HUB-6). */
  async file(
    id: string,
    index: number,
    workers: Workers = this.#turns,
  ): Promise<StoredFile | undefined> {
    const row = await this.#row(id);
    const metainfo = row && (await this.#library.load(row, workers));
    const file = metainfo && this.#list(metainfo).torrentFile(index);
    if (!row || !file) return undefined;
    const root = this.#folder.contentRoot(row);
    const onDisk = (row.content_root === null ? undefined : file.pathAsWritten) ?? file.path;
    return {
      torrentId: row.id,
      index,
      path: file.path.join("/"),
      size: file.length,
      location: `${root}/${onDisk.join("/")}`,
      version: `${row.id}-${index}-${row.published_at}`,
    };
  }

  /**
   * One file by its path in the torrent, including the torrent's name, as readers of a web seed request it. The path
   * is looked up in the torrent, never on the disk (HUB-6).
   */
  async fileAt(
    id: string,
    path: string,
    workers: Workers = this.#turns,
  ): Promise<StoredFile | undefined> {
    const metainfo = await this.metainfo(id, workers);
    if (!metainfo) return undefined;
    const paths = await shared(this.#paths, metainfo, () =>
      workers.run(indexesByPath(this.#list(metainfo))),
    );
    const index = paths.get(path);
    return index === undefined ? undefined : this.file(id, index, workers);
  }

  #list(metainfo: Metainfo): FileList {
    let list = this.#lists.get(metainfo);
    if (!list) this.#lists.set(metainfo, (list = new FileList(metainfo)));
    return list;
  }

  async #listing(row: TorrentRow): Promise<Listing> {
    return listing(row, await this.#namedTrackers(row));
  }

  /** Rows of the first hubs have no value: their .torrent files are read once. */
  async #namedTrackers(row: TorrentRow): Promise<string[][]> {
    if (row.trackers !== null) return JSON.parse(row.trackers) as string[][];
    const metainfo = await this.#library.load(row);
    if (!metainfo) return [];
    const named = namedInOldFile(metainfo.trackers);
    await this.#torrents.setTrackers(row.id, JSON.stringify(named));
    return named;
  }

  async #row(id: string): Promise<TorrentRow | undefined> {
    const row = await this.#torrents.find(id);
    if (row) return row;
    const torrentId = (await this.#drafts.find(id))?.torrent_id;
    return torrentId ? this.#torrents.find(torrentId) : undefined;
  }
}

/** All announce URLs, the hub's own first. */
export function trackersOf(listing: Listing, own: readonly string[]): string[] {
  return withOwnTrackers(own, listing.namedTrackers).flat();
}

/** A magnet link with everything that helps to find peers. */
export function magnetOf(listing: Listing, { trackers, webSeeds }: HubAddresses): string {
  return formatMagnet({
    infohashes: listing.infohashes,
    name: listing.name,
    exactLength: listing.size,
    trackers: trackersOf(listing, trackers),
    webSeeds,
  });
}

function listing(row: TorrentRow, namedTrackers: string[][]): Listing {
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
    publisherId: row.publisher_id,
    publishedMs: row.published_at,
    checkedMs: row.checked_at,
    namedTrackers,
  };
}

/** Keyed by the path as we store it, and by the path as the torrent writes it. */
function* indexesByPath(list: FileList): Work<ReadonlyMap<string, number>> {
  const indexes = new Map<string, number>();
  for (let index = 0; index < list.count; index += 1) {
    if (index % FILES_PER_STEP === 0) yield;
    const { path, pathAsWritten } = list.torrentFile(index)!;
    indexes.set(path.join("/"), index);
    if (pathAsWritten) indexes.set(pathAsWritten.join("/"), index);
  }
  return indexes;
}

/**
 * Concurrent callers share one making. A failure is not shared: it may be that only the first caller's allowance was
 * spent, so the others try again.
 */
async function shared<Value>(
  kept: WeakMap<Metainfo, Promise<Value>>,
  metainfo: Metainfo,
  make: () => Promise<Value>,
): Promise<Value> {
  const known = kept.get(metainfo);
  if (known) return known.catch(() => shared(kept, metainfo, make));
  const making = make();
  kept.set(metainfo, making);
  making.catch(() => kept.delete(metainfo));
  return making;
}
