import type { Bitfield } from "../../base/bitfield.ts";
import type { DiskFailure } from "../../ports/content.ts";

/** What the files of a torrent tell it. */
export type FilesOutput =
  /** The disk refused something. */
  | { readonly kind: "refused"; readonly failure: DiskFailure }
  /** It refuses still, perhaps for another reason. */
  | { readonly kind: "still"; readonly failure: DiskFailure }
  /** The disk takes bytes again, and what can be relied on is known. */
  | { readonly kind: "back" }
  /** Files are back that were gone: what lay in memory or on disk of their unfinished pieces is void. */
  | { readonly kind: "returned"; readonly pieces: Bitfield }
  /** Pieces of files that are back have been judged. */
  | { readonly kind: "judged"; readonly intact: Bitfield; readonly corrupt: Bitfield }
  /** Others changed a file: its pieces, from `first` to before `end`, are judged before they are served next. */
  | { readonly kind: "changed"; readonly first: number; readonly end: number }
  /** These files, which are wanted, are not there. */
  | { readonly kind: "missing"; readonly files: readonly number[] }
  /** A piece that was had is not right in the place where its file is now. */
  | { readonly kind: "damaged"; readonly piece: number }
  /** Files that became wanted are where they belong, and what is missing of them is known. */
  | { readonly kind: "placed" }
  /** Everything that is wanted is at its place. */
  | { readonly kind: "there" }
  /** And has its name: it may be called complete. */
  | { readonly kind: "confirmed" };
