import { EverseedError } from "../base/errors.ts";

export type MetainfoErrorCode =
  /** The file is something else: a web page, a compressed file, an empty file. */
  | "not-a-torrent"
  /** More bytes, pieces or levels than the limit allows. */
  | "too-large"
  /** Damaged: not valid bencode. */
  | "bad-bencode"
  | "missing-key"
  | "bad-type"
  | "bad-value"
  /** A key that defines the torrent is repeated with different values. */
  | "repeated-key"
  /** A version of the format that is not known yet. */
  | "too-new"
  | "bad-piece-length"
  | "bad-pieces"
  | "bad-file-length"
  | "bad-file-tree"
  | "bad-piece-layers"
  /** A hybrid whose two halves describe different files. */
  | "versions-differ"
  | "bad-magnet"
  /** `planTorrent` or `buildMetainfo` was asked for something impossible. */
  | "bad-plan";

/** The .torrent file, the info dictionary or the magnet link cannot be used. */
export class MetainfoError extends EverseedError {
  readonly code: MetainfoErrorCode;
  /** What is wrong, in words for people, without the room and the code; may quote escaped text from outside. */
  readonly detail: string;

  constructor(code: MetainfoErrorCode, detail: string, options?: ErrorOptions) {
    super(`metainfo: ${code}: ${detail}`, options);
    this.code = code;
    this.detail = detail;
  }
}
