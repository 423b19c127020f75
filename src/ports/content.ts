import type { Bitfield } from "../base/bitfield.ts";
import type { Geometry } from "../base/geometry.ts";
import type { Work } from "../base/work.ts";

/** Memory shared by the main thread and the workers, lent out in parts and given back. */
export interface Slab {
  readonly view: Uint8Array;
}

export interface SlabPool {
  /** @returns A part of at least `bytes`, contents undefined, or `undefined` when the limit is reached. */
  take(bytes: number): Slab | undefined;
  give(slab: Slab): void;
  /** Bytes lent out at the moment. */
  readonly lentBytes: number;
  readonly limitBytes: number;
}

/** The expected hash of each piece. Both tables may be filled in while the content is open. */
export interface PieceHashes {
  /** 20 bytes a piece: SHA-1 of the whole piece, padding included (BEP 3). */
  readonly v1?: Uint8Array | undefined;
  /**
   * 32 bytes a piece: the node of the file's merkle tree that covers the piece (BEP 52). All zeros
   * means not known yet; such a piece is not judged by v2. Backed by shared memory.
   */
  readonly v2?: Uint8Array | undefined;
}

export interface ContentFile {
  /** Below `root`, components joined by "/", already safe (see metainfo/safe-path). */
  readonly path: string;
  readonly executable: boolean;
  /** A symbolic link to this path below `root` instead of a file; length 0. */
  readonly linkTarget?: string | undefined;
}

/** Where the bytes of one torrent live. */
export interface ContentLayout {
  /** Absolute folder below which all files lie. */
  readonly root: string;
  readonly geometry: Geometry;
  /** One for each of `geometry.files`; entries of padding files are not looked at. */
  readonly files: readonly ContentFile[];
  readonly hashes: PieceHashes;
  /** Absolute path of a sparse file for the bytes of unwanted files that share a piece with wanted ones. */
  readonly partFile: string;
  readonly readOnly: boolean;
  /**
   * What the names of files end in until `finish` (`base/unfinished-names.ts`); `undefined` when they have their
   * names from the start. A file that stands under its own name already keeps it.
   */
  readonly unfinishedSuffix?: string | undefined;
  /**
   * Which files that are there already may be written to. `claimed`: those that this content made, and those named to
   * `claim`; any other is refused with `EEXIST` unless it holds what is to be written. `own`: all, because nobody else
   * puts anything below the root.
   */
  readonly existing: "claimed" | "own";
  /** Files may be read through symbolic links. For what people keep as they like; only together with `readOnly`. */
  readonly throughLinks?: boolean | undefined;
}

/** The world refused. `code` is the operating system's: `ENOSPC`, `EROFS`, `EACCES`, `ENOENT`, `EIO`... */
export interface DiskFailure {
  readonly kind: "failure";
  readonly code: string;
  readonly message: string;
  readonly path: string;
}

/**
 * A SHA-1 of every block of a judged piece, 20 bytes each, in order: evidence for the smart ban. A corrupt
 * piece always comes with them, an intact one only when `digests` was asked for.
 */
export type BlockDigests = Uint8Array;

export type PieceVerdict =
  | { readonly kind: "intact"; readonly digests?: BlockDigests | undefined }
  /** `fault`: which of the hashes the bytes do not match. */
  | {
      readonly kind: "corrupt";
      readonly fault: "v1" | "v2" | "both";
      readonly digests?: BlockDigests | undefined;
    }
  | DiskFailure;

export type DiskOutcome = { readonly kind: "done" } | DiskFailure;

/** A run of bytes of one piece to read, and where it goes. */
export interface ReadRun {
  readonly piece: number;
  readonly begin: number;
  readonly length: number;
  /** Offset in the slab that receives it. */
  readonly slabOffset: number;
}

/** Where the bytes of a piece that is judged are left, so that nobody has to read them again. */
export interface PieceFrames {
  readonly slab: Slab;
  /** Bytes before each block of 16 KiB that are not touched: room for the head of its message. */
  readonly headBytes: number;
}

/** What a file looks like on disk; compared between runs to notice strangers' changes (STO-6). */
export interface FileStamp {
  /** Bytes; -1 when the file is not there. */
  readonly size: number;
  readonly mtimeMs: number;
  readonly inode: number;
  /** When the file is not there: the nearest folder above it that is. */
  readonly nearest?: NearestFolder;
  /** What stands in the place of a file that is not there. */
  readonly obstacle?: Obstacle | undefined;
  /** True when it stands under the name of an unfinished file. */
  readonly unfinished?: boolean;
}

/**
 * What is no plain file: a folder, a symbolic link, or a device, a pipe or a socket. `no-folder`: a file, or any of
 * these, stands in the place of a folder above it, right below `nearest`.
 */
export type Obstacle = "folder" | "link" | "special" | "no-folder";

export interface NearestFolder {
  /** How many folders below the root; 0 is the root itself. */
  readonly depth: number;
  /** It holds nothing at all. */
  readonly empty: boolean;
}

export interface CheckOptions {
  /** The pieces to judge. */
  readonly pieces: Bitfield;
  /** Called as pieces are judged, in no particular order. */
  readonly onPiece: (piece: number, intact: boolean) => void;
  readonly onDone: (outcome: DiskOutcome) => void;
}

/**
 * The bytes of one open content, addressed by pieces in the torrent's space. Everything can be this: a folder, object
 * storage, a replicated folder. Padding reads as zeros, and what is written to it is dropped.
 *
 * Like the other parts of a content, every method returns at once; the outcome comes later through the callback, never
 * inside the call. Slabs are lent until the callback. Jobs for one piece run in the order they were given to one part.
 */
export interface ByteStore {
  /**
   * Reads runs into the slab, as they are stored: whoever serves them has them judged before. Bytes that are not
   * there fail with `ENOENT`, `ENOTDIR` or `EOF`; any other code says nothing about them.
   */
  read(slab: Slab, runs: readonly ReadRun[], onDone: (outcome: DiskOutcome) => void): void;
  /** Writes part of a piece without judging it: `length` bytes from `slabOffset` of the slab. */
  write(
    piece: number,
    run: { readonly begin: number; readonly length: number },
    source: { readonly slab: Slab; readonly slabOffset: number },
    onDone: (outcome: DiskOutcome) => void,
  ): void;
  /** Makes all that was written durable. What a failed call was to make durable is owed by the next. */
  sync(onDone: (outcome: DiskOutcome) => void): void;
  /** Lets go of the content; jobs under way end first, a check is stopped, and later jobs fail with `EBADF`. */
  close(onDone: () => void): void;
}

/**
 * Compares pieces with their hashes, close to where the bytes are. For a store that has no workers there
 * `engine/store-judge.ts` makes one out of a `ByteStore` and a `Hasher`.
 */
export interface PieceJudge {
  /** Judges a whole piece in memory and, when intact, writes it. Padding is filled in by the callee. */
  store(
    piece: number,
    slab: Slab,
    options: { readonly digests: boolean },
    onDone: (verdict: PieceVerdict) => void,
  ): void;
  /**
   * Judges a piece by what is stored: what is not there makes it corrupt. The bytes in `frames` mean something when it
   * is intact.
   */
  verify(
    piece: number,
    options: { readonly digests: boolean; readonly frames?: PieceFrames | undefined },
    onDone: (verdict: PieceVerdict) => void,
  ): void;
  /** Judges many pieces by what is stored, several at a time. @returns A function that stops it early. */
  check(options: CheckOptions): () => void;
  /** Like `store`, but without expectation: writes the piece and hands out its hashes. For publishing by upload. */
  ingest(
    piece: number,
    slab: Slab,
    want: { readonly v1: boolean; readonly v2: boolean },
    onDone: (result: FoundHashes | DiskFailure) => void,
  ): void;
}

/** The hashes of one piece, those that were asked for. */
export interface FoundHashes {
  readonly v1?: Uint8Array;
  readonly v2?: Uint8Array;
}

/**
 * How the files of a content look from outside. Only for content that others can change; a store that nobody else
 * writes to, or that could not tell, has none.
 */
export interface FileWatch {
  /** One stamp for each of `geometry.files`; padding files have size -1. Fails when the root that was there is
   * not, or lies on another disk than before. */
  stamp(onDone: (stamps: readonly FileStamp[] | DiskFailure) => void): void;
  /** Files may have been put in the place of those that are open: every one is opened anew by its path. Those
   * in `lost`, which are not there any more, may be created again. */
  reopen(lost: readonly number[], onDone: (outcome: DiskOutcome) => void): void;
}

/** The files of a content as names in a folder, among those of others. */
export interface FilePlaces {
  /**
   * These files, which are there, may be written to from now on. One that has other names (hard links) is copied
   * first, so that those keep what they have; one that is longer than the layout says is cut.
   */
  claim(files: readonly number[], onDone: (outcome: DiskOutcome) => void): void;
  /** Gives these files, which are there, other names beside their own: somebody wants to keep them. */
  setAside(files: readonly number[], onDone: (outcome: DiskOutcome) => void): void;
  /** Creates wanted empty files, links and folders, which no piece would. */
  createEmpty(onDone: (outcome: DiskOutcome) => void): void;
  /** Which files are wanted. Bytes of the others go to and come from the part file; a file that becomes
   * wanted gets its bytes from there. */
  setWanted(wanted: readonly boolean[], onDone: (outcome: DiskOutcome) => void): void;
  /**
   * Gives files that are whole and durable their own names; those that have them already stay. Fails with `EEXIST`
   * when something else stands there.
   */
  finish(files: readonly number[], onDone: (outcome: DiskOutcome) => void): void;
  /** Free bytes on the disk that holds `root`. */
  freeSpace(onDone: (bytes: number | DiskFailure) => void): void;
}

/** The content of one torrent, open: a folder has all parts, object storage only the first two. */
export interface OpenContent {
  readonly bytes: ByteStore;
  readonly judge: PieceJudge;
  readonly watch?: FileWatch | undefined;
  readonly places?: FilePlaces | undefined;
}

export interface ContentSource {
  open(layout: ContentLayout): OpenContent;
  /** The same in steps, where opening takes long for very many files (`openInSteps` of engine/content-layout.ts). */
  openInSteps?(layout: ContentLayout): Work<OpenContent>;
}

/** What hashing finds for pieces it has no expectation of. */
export interface MeasuredPieces {
  /** 20 bytes a piece, when asked for. */
  readonly v1?: Uint8Array | undefined;
  /** 32 bytes a piece: the merkle node that covers it. For a file of at most one piece: its root. */
  readonly v2?: Uint8Array | undefined;
}

/** Reads files once and hashes their pieces on all workers: for creating torrents. */
export interface PieceHasher {
  /** @throws (rejects with) an error that carries `code` and `path` when a file cannot be read. */
  measure(options: {
    readonly layout: Pick<ContentLayout, "root" | "geometry" | "files" | "throughLinks">;
    readonly v1: boolean;
    readonly v2: boolean;
    readonly onProgress?: (bytesDone: number) => void;
    readonly signal?: AbortSignal;
  }): Promise<MeasuredPieces>;
}
