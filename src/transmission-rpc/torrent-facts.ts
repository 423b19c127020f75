import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type { Transfers } from "../transfers/transfers.ts";

/** Facts of transfers that are kept: a program asks for those of all of them, again and again. */
const KEPT_MAX = 20_000;

/** What of a torrent never changes, in a few numbers. */
export interface TorrentFacts {
  /** Bytes, padding left out. */
  readonly size: number;
  readonly pieceCount: number;
  readonly pieceSize: number;
  /** Without padding. */
  readonly fileCount: number;
  readonly mimeType: string;
}

const UNKNOWN: TorrentFacts = {
  size: 0,
  pieceCount: 0,
  pieceSize: 0,
  fileCount: 0,
  mimeType: "application/octet-stream",
};

/** The facts of torrents, whose .torrent files are read once as long as there is room. */
export class FactsOfTorrents {
  readonly #transfers: Transfers;
  /** By id, the one used last at the end. */
  readonly #kept = new Map<string, TorrentFacts>();

  constructor(transfers: Transfers) {
    this.#transfers = transfers;
  }

  async of(id: string): Promise<TorrentFacts> {
    const kept = this.#kept.get(id);
    if (kept) {
      this.#kept.delete(id);
      this.#kept.set(id, kept);
      return kept;
    }
    const { info } = await this.#transfers.details.about(id);
    if (!info) return UNKNOWN;
    const facts = factsOf(info);
    this.#kept.set(id, facts);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_MAX) this.#kept.delete(oldest!);
    return facts;
  }
}

function factsOf({ geometry, files }: TorrentInfo): TorrentFacts {
  const real = files.filter(({ pad }) => !pad);
  const largest = real.reduce((one, other) => (other.length > one.length ? other : one), real[0]!);
  return {
    size: geometry.dataLength,
    pieceCount: geometry.pieceCount,
    pieceSize: geometry.pieceLength,
    fileCount: real.length,
    mimeType: mimeTypeOf(largest?.path.at(-1) ?? ""),
  };
}

/** Enough for an icon. */
const MIME_TYPES: ReadonlyMap<string, string> = new Map([
  ["mkv", "video/x-matroska"],
  ["mp4", "video/mp4"],
  ["webm", "video/webm"],
  ["avi", "video/x-msvideo"],
  ["flac", "audio/flac"],
  ["mp3", "audio/mpeg"],
  ["ogg", "audio/ogg"],
  ["opus", "audio/ogg"],
  ["jpg", "image/jpeg"],
  ["png", "image/png"],
  ["epub", "application/epub+zip"],
  ["pdf", "application/pdf"],
  ["txt", "text/plain"],
  ["iso", "application/x-iso9660-image"],
  ["zip", "application/zip"],
  ["gz", "application/gzip"],
  ["xz", "application/x-xz"],
]);

function mimeTypeOf(name: string): string {
  const ending = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  return MIME_TYPES.get(ending) ?? UNKNOWN.mimeType;
}
