import type { DiskFailure } from "../../ports/content.ts";

/** The outputs of the downloader for the torrent. */
export type DownloadOutput =
  /** A piece is judged intact and on disk. */
  | { readonly kind: "piece"; readonly piece: number }
  /** Other blocks of unfinished pieces are on disk than before: `partial` changed. */
  | { readonly kind: "partial" }
  /** The disk refused to judge or to write. */
  | { readonly kind: "refused"; readonly failure: DiskFailure }
  /** A piece that this sender alone sent is corrupt: it lies, or the disk does. */
  | { readonly kind: "spoiled"; readonly sender: string }
  /** This sender sent a block that differs from the right one. */
  | { readonly kind: "liar"; readonly sender: string; readonly reason: string }
  /** No bytes can ever match both hashes of this piece: the torrent is at fault, not a peer. */
  | { readonly kind: "contradiction"; readonly piece: number; readonly fault: "v1" | "v2" };

/** One object for all: it says nothing but that it happened. */
export const PARTIAL: DownloadOutput = { kind: "partial" };
