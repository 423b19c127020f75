import { EverseedError } from "../base/errors.ts";

export type MetainfoErrorCode =
  /** Something else was saved under this name: a web page, a compressed file, nothing at all. */
  | "not-a-torrent"
  /** More bytes, pieces or levels than the named limit. */
  | "too-large"
  /** Damaged: not bencode. */
  | "bad-bencode"
  | "missing-key"
  | "bad-type"
  | "bad-value"
  /** A key that decides what the torrent is stands there twice, with different values. */
  | "repeated-key"
  /** A generation of the format that is not known yet. */
  | "too-new"
  | "bad-piece-length"
  | "bad-pieces"
  | "bad-file-length"
  | "bad-file-tree"
  | "bad-piece-layers"
  /** A hybrid whose two halves describe different files. */
  | "versions-differ"
  | "bad-magnet"
  /** `planTorrent` or `buildMetainfo` was asked for something that cannot be. */
  | "bad-plan";

/** The .torrent file, the info dictionary or the magnet link is not usable. */
export class MetainfoError extends EverseedError {
  readonly code: MetainfoErrorCode;
  /** What is wrong in words for people, without the room and the code; may quote escaped outside text. */
  readonly detail: string;

  constructor(code: MetainfoErrorCode, detail: string, options?: ErrorOptions) {
    super(`metainfo: ${code}: ${detail}`, options);
    this.code = code;
    this.detail = detail;
  }
}
