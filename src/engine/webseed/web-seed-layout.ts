import type { TorrentFile, TorrentInfo } from "../../metainfo/metainfo.ts";
import type { RangeRequest } from "../../ports/web-ranges.ts";

/** Bytes requested at once: much more than a round trip costs, and little enough to be given up. */
export const REQUEST_BYTES_MAX = 8 * 1024 * 1024;

/** A run of bytes that one request brings. */
export interface PlannedRequest {
  readonly request: RangeRequest;
  /** Bytes of the torrent's space that it covers. */
  readonly length: number;
  /** The file that it is for; -1 when the server knows no files. */
  readonly file: number;
}

/** How a server names a torrent's bytes. */
export interface WebSeedLayout {
  /** Files are off one by one when they are missing there. */
  readonly knowsFiles: boolean;
  /**
   * @param offset - The first byte, in the torrent's space; in a file that is not padding.
   * @param length - Bytes wanted from there.
   * @returns A request for these bytes or the first part of them.
   */
  plan(offset: number, length: number): PlannedRequest;
}

/** The files of a torrent below a URL (BEP 19). */
export class FileLayout implements WebSeedLayout {
  readonly knowsFiles = true;
  readonly #url: string;
  readonly #info: TorrentInfo;

  constructor(url: string, info: TorrentInfo) {
    this.#url = url;
    this.#info = info;
  }

  plan(offset: number, length: number): PlannedRequest {
    const { geometry, files } = this.#info;
    const file = geometry.fileAt(offset);
    const extent = files[file]!;
    const first = offset - extent.offset;
    const part = Math.min(length, extent.length - first, REQUEST_BYTES_MAX);
    const range = { first, last: first + part - 1 };
    return { request: { url: this.#urlOf(extent), range }, length: part, file };
  }

  #urlOf(file: TorrentFile): string {
    const url = this.#url;
    const { name, folder } = this.#info;
    // Hidden folders have another name on our disk, and perhaps only there.
    const path = file.pathAsWritten ?? [name, ...file.path.slice(1)];
    if (!folder) return url.endsWith("/") ? url + escapePart(path[0]!) : url;
    return `${url.endsWith("/") ? url : `${url}/`}${path.map(escapePart).join("/")}`;
  }
}

/** The pieces of a torrent behind a URL with a query (BEP 17). */
export class PieceLayout implements WebSeedLayout {
  readonly knowsFiles = false;
  readonly #prefix: string;
  readonly #info: TorrentInfo;

  constructor(url: string, info: TorrentInfo, infohash: Uint8Array) {
    const mark = !url.includes("?") ? "?" : /[?&]$/.test(url) ? "" : "&";
    this.#prefix = `${url}${mark}info_hash=${escapeBytes(infohash)}`;
    this.#info = info;
  }

  plan(offset: number, length: number): PlannedRequest {
    const { pieceLength } = this.#info.geometry;
    const piece = Math.floor(offset / pieceLength);
    const first = offset - piece * pieceLength;
    const part = Math.min(length, pieceLength - first, REQUEST_BYTES_MAX);
    const url = `${this.#prefix}&piece=${piece}&ranges=${first}-${first + part - 1}`;
    return { request: { url, range: undefined }, length: part, file: -1 };
  }
}

function escapePart(name: string): string {
  return encodeURIComponent(name.toWellFormed());
}

/** Every byte is escaped: it need not be text. */
function escapeBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
}
