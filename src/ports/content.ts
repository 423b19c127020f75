import type { Bitfield } from "../base/bitfield.ts";
import type { Geometry } from "../base/geometry.ts";
import type { Work } from "../base/work.ts";

/** Memory that the main thread and the workers share, lent in parts. */
export interface Slab {
  readonly view: Uint8Array;
}

export interface SlabPool {
  /** @returns A part of at least `bytes`, contents undefined, or `undefined` when the limit is reached. */
  take(bytes: number): Slab | undefined;
  give(slab: Slab): void;
  /** Bytes lent at the moment. */
  readonly lentBytes: number;
  readonly limitBytes: number;
}

/** The expected hash of each piece. Both tables may be filled in while the content is open. */
export interface PieceHashes {
  /** 20 bytes a piece: SHA-1 of the whole piece, padding included (BEP 3). */
  readonly v1?: Uint8Array | undefined;
  /**
   * 32 bytes a piece: the node of the file's merkle tree that covers the piece (BEP 52). All zeros
   * means unknown; such a piece is not judged by v2. Backed by shared memory.
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

/** Where one torrent's bytes are stored. */
export interface ContentLayout {
  /** Absolute folder below which all files lie. */
  readonly root: string;
  readonly geometry: Geometry;
  /** One for each of `geometry.files`; entries of padding files are ignored. */
  readonly files: readonly ContentFile[];
  readonly hashes: PieceHashes;
  /** Absolute path of a sparse file for the bytes of unwanted files that share a piece with wanted ones. */
  readonly partFile: string;
  readonly readOnly: boolean;
  /**
   * The suffix of file names until `finish` (`base/unfinished-names.ts`); `undefined` gives files
   * their final names from the start. A file that already has its final name keeps it.
   */
  readonly unfinishedSuffix?: string | undefined;
  /**
   * The existing files that may be written to. `claimed`: those that this content created, and those
   * passed to `claim`; any other is refused with `EEXIST` unless it already holds the bytes to
   * write. `own`: all, because nobody else puts anything below the root.
   */
  readonly existing: "claimed" | "own";
  /**
   * Reads files through symbolic links, for people who arrange their files with links. Only
   * together with `readOnly`.
   */
  readonly throughLinks?: boolean | undefined;
}

/**
 * The system refused. `code` is the operating system's: `ENOSPC`, `EROFS`, `EACCES`, `ENOENT`,
 * `EIO`...
 */
export interface DiskFailure {
  readonly kind: "failure";
  readonly code: string;
  readonly message: string;
  readonly path: string;
}

/**
 * The SHA-1 of every block of a judged piece, 20 bytes each, in order: evidence for the smart ban.
 * A corrupt piece always comes with it, an intact one only on request.
 */
export type BlockDigests = Uint8Array;

export type PieceVerdict =
  | { readonly kind: "intact"; readonly digests?: BlockDigests | undefined }
  /** `fault`: the hashes that the bytes do not match. */
  | {
      readonly kind: "corrupt";
      readonly fault: "v1" | "v2" | "both";
      readonly digests?: BlockDigests | undefined;
    }
  | DiskFailure;

export type DiskOutcome = { readonly kind: "done" } | DiskFailure;

/** A run of bytes of one piece to read, and its destination. */
export interface ReadRun {
  readonly piece: number;
  readonly begin: number;
  readonly length: number;
  /** Offset in the slab that receives it. */
  readonly slabOffset: number;
}

/** Where to leave the bytes of a judged piece, so that nobody has to read them again. */
export interface PieceFrames {
  readonly slab: Slab;
  /** Bytes to leave untouched before each block of 16 KiB: room for its message head. */
  readonly headBytes: number;
}

/** The state of a file on disk; comparing it between runs reveals changes by others (STO-6). */
export interface FileStamp {
  /** Bytes; -1 when the file is absent. */
  readonly size: number;
  readonly mtimeMs: number;
  readonly inode: number;
  /** For an absent file: the nearest existing folder above it. */
  readonly nearest?: NearestFolder;
  /** The entry that stands in the place of an absent file. */
  readonly obstacle?: Obstacle | undefined;
  /** True when the file has its unfinished name. */
  readonly unfinished?: boolean;
}

/**
 * An entry that is not a plain file: a folder, a symbolic link, or a device, a pipe or a socket.
 * `no-folder`: a file or any of these stands in the place of a folder above it, directly below
 * `nearest`.
 */
export type Obstacle = "folder" | "link" | "special" | "no-folder";

export interface NearestFolder {
  /** Depth below the root; 0 is the root itself. */
  readonly depth: number;
  /** The folder holds nothing at all. */
  readonly empty: boolean;
}

export interface CheckOptions {
  /** The pieces to judge. */
  readonly pieces: Bitfield;
  /** Called for each judged piece, in no particular order. */
  readonly onPiece: (piece: number, intact: boolean) => void;
  readonly onDone: (outcome: DiskOutcome) => void;
}

/**
 * The bytes of one open content, addressed by pieces in the torrent's byte space. A folder can
 * implement it, as can object storage or a replicated folder. Padding reads as zeros, and writes to
 * it are dropped.
 *
 * As in the other parts of a content, every method returns at once, and the outcome comes later
 * through the callback, never inside the call. Slabs are lent until the callback. Jobs for one
 * piece run in the order in which one part received them.
 */
export interface ByteStore {
  /**
   * Reads runs into the slab as they are stored, unverified: judge a piece before serving it.
   * Missing bytes fail with `ENOENT`, `ENOTDIR` or `EOF`; any other code says nothing about them.
   */
  read(slab: Slab, runs: readonly ReadRun[], onDone: (outcome: DiskOutcome) => void): void;
  /** Writes part of a piece without judging it: `length` bytes from `slabOffset` of the slab. */
  write(
    piece: number,
    run: { readonly begin: number; readonly length: number },
    source: { readonly slab: Slab; readonly slabOffset: number },
    onDone: (outcome: DiskOutcome) => void,
  ): void;
  /**
   * Makes all earlier writes durable. After a failure the next call covers the same writes again.
   */
  sync(onDone: (outcome: DiskOutcome) => void): void;
  /**
   * Closes the content: jobs under way end first, checks stop, and later jobs fail with `EBADF`.
   */
  close(onDone: () => void): void;
}

/**
 * Compares pieces with their hashes, close to where the bytes are. For a store without workers
 * `engine/judged-store.ts` builds one from a `ByteStore` and a `Hasher`.
 */
export interface PieceJudge {
  /** Judges a whole piece in memory and writes it if it is intact. The callee fills in padding. */
  store(
    piece: number,
    slab: Slab,
    options: { readonly digests: boolean },
    onDone: (verdict: PieceVerdict) => void,
  ): void;
  /**
   * Judges a stored piece; missing bytes make it corrupt. The bytes in `frames` are valid only if
   * it is intact.
   */
  verify(
    piece: number,
    options: { readonly digests: boolean; readonly frames?: PieceFrames | undefined },
    onDone: (verdict: PieceVerdict) => void,
  ): void;
  /** Judges many stored pieces, several at a time. @returns A function that stops it early. */
  check(options: CheckOptions): () => void;
  /**
   * Like `store`, but without known hashes: writes the piece and returns its hashes. For publishing
   * by upload.
   */
  ingest(
    piece: number,
    slab: Slab,
    want: { readonly v1: boolean; readonly v2: boolean },
    onDone: (result: FoundHashes | DiskFailure) => void,
  ): void;
}

/** The requested hashes of one piece. */
export interface FoundHashes {
  readonly v1?: Uint8Array;
  readonly v2?: Uint8Array;
}

/**
 * Watches the files of a content for changes. Only for content that others can change; a store that
 * nobody else writes to, or that cannot tell, has none.
 */
export interface FileWatch {
  /**
   * One stamp for each of `geometry.files`; padding files have size -1. Fails when a root that
   * existed is gone or is on another disk than before.
   */
  stamp(onDone: (stamps: readonly FileStamp[] | DiskFailure) => void): void;
  /**
   * Files may have been replaced while they were open: every one is reopened by its path. Those in
   * `lost`, which no longer exist, may be created again.
   */
  reopen(lost: readonly number[], onDone: (outcome: DiskOutcome) => void): void;
}

/** The files of a content as names in a folder, beside the files of others. */
export interface FilePlaces {
  /**
   * Makes these existing files writable. A file with other names (hard links) is copied first, so
   * that the other names keep their bytes; a file longer than the layout says is truncated.
   */
  claim(files: readonly number[], onDone: (outcome: DiskOutcome) => void): void;
  /** Renames these existing files, because somebody wants to keep them. */
  setAside(files: readonly number[], onDone: (outcome: DiskOutcome) => void): void;
  /** Creates wanted empty files, links and folders, which belong to no piece. */
  createEmpty(onDone: (outcome: DiskOutcome) => void): void;
  /**
   * Sets which files are wanted. Bytes of the others move to and from the part file; a file that
   * becomes wanted gets its bytes from there.
   */
  setWanted(wanted: readonly boolean[], onDone: (outcome: DiskOutcome) => void): void;
  /**
   * Gives complete and durable files their final names; files that have them already stay. Fails
   * with `EEXIST` when the name is taken.
   */
  finish(files: readonly number[], onDone: (outcome: DiskOutcome) => void): void;
}

/** The open content of one torrent: a folder has all parts, object storage only the first two. */
export interface OpenContent {
  readonly bytes: ByteStore;
  readonly judge: PieceJudge;
  readonly watch?: FileWatch | undefined;
  readonly places?: FilePlaces | undefined;
}

export interface ContentSource {
  open(layout: ContentLayout): OpenContent;
  /**
   * The same in steps, for torrents with very many files (`openInSteps` of
   * engine/content-layout.ts).
   */
  openInSteps?(layout: ContentLayout): Work<OpenContent>;
}

/** The hashes of pieces with no expected values. */
export interface MeasuredPieces {
  /** 20 bytes a piece, on request. */
  readonly v1?: Uint8Array | undefined;
  /** 32 bytes a piece: the merkle node that covers it. For a file of at most one piece: its root. */
  readonly v2?: Uint8Array | undefined;
}

/** Reads files once and hashes their pieces on all workers, to create torrents. */
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
