import type { Bitfield } from "../../base/bitfield.ts";
import type { DiskFailure } from "../../ports/content.ts";

/** What the files of a torrent report to it. */
export type FilesOutput =
  /** The disk refused something. */
  | { readonly kind: "refused"; readonly failure: DiskFailure }
  /** The disk still refuses, perhaps for another reason. */
  | { readonly kind: "still"; readonly failure: DiskFailure }
  /** The disk accepts bytes again, and it is known which data is reliable. */
  | { readonly kind: "back" }
  /** Missing files are back: data of their unfinished pieces in memory or on disk is void. */
  | { readonly kind: "returned"; readonly pieces: Bitfield }
  /** The pieces of files that are back have been judged. */
  | { readonly kind: "judged"; readonly intact: Bitfield; readonly corrupt: Bitfield }
  /** Somebody changed a file: its pieces, from `first` to before `end`, are judged before they are served next. */
  | { readonly kind: "changed"; readonly first: number; readonly end: number }
  /** These wanted files are missing. */
  | { readonly kind: "missing"; readonly files: readonly number[] }
  /** A piece that we had is wrong in the file that is at its place now. */
  | { readonly kind: "damaged"; readonly piece: number }
  /** Newly wanted files are at their places, and it is known what they lack. */
  | { readonly kind: "placed" }
  /** All wanted files are at their places. */
  | { readonly kind: "there" }
  /** And they have their names: the torrent may be reported complete. */
  | { readonly kind: "confirmed" };
