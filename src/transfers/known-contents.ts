import { toHex } from "../base/bytes.ts";
import { safeJoin } from "../base/safe-join.ts";
import type { RunWork } from "../base/work.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type { TransferContent, TransferContentTable } from "../store/transfer-contents.ts";
import type { TransferRow, TransferTable } from "../store/transfers.ts";
import { contentKeys, type FileKeys } from "./content-keys.ts";
import { placedInfo } from "./placed-info.ts";
import { parseChoices, wantedFiles } from "./transfer-choices.ts";
import type { TransferShelf } from "./transfer-shelf.ts";

/** Rows and keys of one call of the database. */
const BATCH = 200;
/** Files with equal keys that are looked at, on average. */
const ALIKE_MAX = 4;
/** .torrent files of other transfers that are read for one; each may have thousands of files. */
const TORRENTS_MAX = 64;

/** A file that is here, and may be what another one is to be. */
export interface KnownFile {
  /** Absolute. */
  readonly path: string;
  /** Name of its transfer, for people. */
  readonly of: string;
}

export interface KnownContentsParts {
  readonly contents: TransferContentTable;
  readonly transfers: Pick<TransferTable, "find">;
  readonly shelf: TransferShelf;
  readonly run: RunWork;
}

/** Knows which files are here, by the hashes of their torrents: the files of all finished transfers. */
export class KnownContents {
  readonly #parts: KnownContentsParts;

  constructor(parts: KnownContentsParts) {
    this.#parts = parts;
  }

  /** The wanted files of a transfer are here. */
  async add(row: TransferRow, info: TorrentInfo): Promise<void> {
    const wanted = wantedFiles(parseChoices(row.choices), info.files.length);
    const files = await this.#keysOf(info, (file) => wanted[file]!);
    const contents = files.flatMap(({ file, keys }) =>
      keys.map((key): TransferContent => ({ key, transfer: row.id, file })),
    );
    for (const batch of batches(contents)) {
      await this.#parts.contents.add(batch);
      await this.#parts.run(pause());
    }
  }

  /**
   * @param id - The transfer that looks for them.
   * @returns By the index of a file: those that may be the same, as far as the database says. They may have changed or
   *   vanished since.
   */
  async find(
    id: string,
    info: TorrentInfo,
    isWanted: (file: number) => boolean,
  ): Promise<ReadonlyMap<number, readonly KnownFile[]>> {
    const found = new Map<number, KnownFile[]>();
    const torrents = new Map<string, OtherTorrent | undefined>();
    for (const batch of batches(await this.#keysOf(info, isWanted))) {
      const alike = await this.#alike(batch);
      for (const { file, keys } of batch) {
        const known: KnownFile[] = [];
        for (const { transfer, file: other } of keys.flatMap(
          (key) => alike.get(toHex(key)) ?? [],
        )) {
          if (transfer === id || known.length === ALIKE_MAX) continue;
          const place = (await this.#torrent(transfer, torrents))?.place(other);
          if (place && !known.some(({ path }) => path === place.path)) known.push(place);
        }
        if (known.length > 0) found.set(file, known);
      }
      await this.#parts.run(pause());
    }
    return found;
  }

  async #alike(files: readonly FileKeys[]): Promise<Map<string, TransferContent[]>> {
    const keys = files.flatMap((file) => file.keys);
    const found = new Map<string, TransferContent[]>();
    for (const content of await this.#parts.contents.find(keys, keys.length * ALIKE_MAX)) {
      const key = toHex(content.key);
      const known = found.get(key);
      if (known) known.push(content);
      else found.set(key, [content]);
    }
    return found;
  }

  /** @param known - Those that were read already. */
  async #torrent(
    id: string,
    known: Map<string, OtherTorrent | undefined>,
  ): Promise<OtherTorrent | undefined> {
    if (known.has(id) || known.size >= TORRENTS_MAX) return known.get(id);
    const row = await this.#parts.transfers.find(id);
    const isHere = row && row.finished_at !== null && row.chore === null && row.magnet === null;
    const metainfo = isHere ? await this.#parts.shelf.loadTorrent(id) : undefined;
    const torrent = row && metainfo && new OtherTorrent(row, metainfo.info);
    known.set(id, torrent);
    return torrent;
  }

  #keysOf(info: TorrentInfo, isWanted: (file: number) => boolean): Promise<FileKeys[]> {
    return this.#parts.run(contentKeys(info, isWanted));
  }
}

/** Where a finished transfer has its files. */
class OtherTorrent {
  readonly #row: TransferRow;
  readonly #info: TorrentInfo;
  readonly #wanted: readonly boolean[];

  constructor(row: TransferRow, info: TorrentInfo) {
    const choices = parseChoices(row.choices);
    this.#row = row;
    this.#info = placedInfo(info, choices.names);
    this.#wanted = wantedFiles(choices, info.files.length);
  }

  place(index: number): KnownFile | undefined {
    const file = this.#info.files[index];
    if (!file || this.#wanted[index] !== true) return undefined;
    return { path: safeJoin(this.#row.root, file.path), of: this.#row.name };
  }
}

function* batches<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let begin = 0; begin < items.length; begin += BATCH) yield items.slice(begin, begin + BATCH);
}

/** Others run in between. */
function* pause(): Generator<undefined, void, undefined> {
  yield;
}
