import type { DiskFailure, PieceVerdict } from "../../ports/content.ts";
import type { DigestPlan, PieceDigests } from "../../ports/hasher.ts";
import type { SharedLayout } from "./shared-layout.ts";

/** Where a job's bytes are in the memory that the workers know. */
export interface MemoryRun {
  readonly arena: number;
  readonly offset: number;
  readonly length: number;
}

/** Where the blocks of a piece go, each after `headBytes` that stay untouched. */
export interface FramedMemory {
  readonly target: MemoryRun;
  readonly headBytes: number;
}

/** A fact that a worker receives once and keeps. Workers do not answer notices. */
export type DiskNotice =
  | { readonly kind: "arena"; readonly arena: number; readonly memory: SharedArrayBuffer }
  | { readonly kind: "drop-arena"; readonly arena: number }
  | { readonly kind: "layout"; readonly content: number; readonly layout: SharedLayout };

/** The part of a sweep over a whole content that all workers share. */
export interface SweepControl {
  /** [0] counts the batches handed out; a nonzero [1] stops the sweep. */
  readonly cursor: Int32Array;
}

/** A request to a worker, which answers each once. A notice announced its `content` before. */
export type DiskTask =
  | {
      readonly kind: "store";
      readonly piece: number;
      readonly source: MemoryRun;
      readonly digests: boolean;
    }
  | {
      readonly kind: "ingest";
      readonly piece: number;
      readonly source: MemoryRun;
      readonly v1: boolean;
      readonly v2: boolean;
    }
  | {
      readonly kind: "write";
      readonly piece: number;
      readonly begin: number;
      readonly source: MemoryRun;
    }
  | {
      readonly kind: "verify";
      readonly piece: number;
      readonly digests: boolean;
      readonly frames: FramedMemory | undefined;
    }
  | {
      readonly kind: "read";
      readonly target: MemoryRun;
      /** Four numbers a run: piece, begin, length, offset in the target. */
      readonly runs: Uint32Array;
    }
  /** Judges the pieces whose bits are set. */
  | { readonly kind: "check"; readonly control: SweepControl; readonly pieces: Uint8Array }
  /** Hashes all pieces into the tables that are present. */
  | {
      readonly kind: "measure";
      readonly control: SweepControl;
      readonly v1: Uint8Array | undefined;
      readonly v2: Uint8Array | undefined;
    }
  /** Makes share `part` of `parts` of the files durable. */
  | { readonly kind: "sync"; readonly part: number; readonly parts: number }
  /** Makes everything durable with one call, for many files. */
  | { readonly kind: "sync-disk" }
  | { readonly kind: "stamp" }
  /** Makes every worker reopen all files; it may create those in `lost`. */
  | { readonly kind: "reopen"; readonly lost: readonly number[] }
  /** Makes existing files writable. */
  | { readonly kind: "claim"; readonly files: readonly number[] }
  /** Renames existing files out of the way. */
  | { readonly kind: "set-aside"; readonly files: readonly number[] }
  | { readonly kind: "create-empty"; readonly unwanted: Uint8Array | undefined }
  | { readonly kind: "set-wanted"; readonly wanted: Uint8Array }
  /** Moves a file's bytes out of the part file, so that pieces in its middle can be written. */
  | { readonly kind: "leave-part-file"; readonly files: readonly number[] }
  /** Gives complete files their final names. */
  | { readonly kind: "finish"; readonly files: readonly number[] }
  | { readonly kind: "close" };

export interface DiskJob {
  readonly id: number;
  readonly content: number;
  readonly task: DiskTask;
}

/** One part of hashing a piece that belongs to no content. All parts go to one worker. */
export interface HashTask {
  /** Identifies the hashing. */
  readonly hashing: number;
  /** Sent with the first part. */
  readonly plan: DigestPlan | undefined;
  /** `undefined` cancels the hashing. */
  readonly part:
    | {
        readonly source: FramedMemory;
        /** Bytes to hash, without the heads. */
        readonly length: number;
        readonly isLast: boolean;
      }
    | undefined;
}

export interface HashJob {
  readonly id: number;
  readonly hash: HashTask;
}

/** The result of a task. The sender knows which kind belongs to which task. */
export type DiskOutcomeMessage =
  | PieceVerdict
  | { readonly kind: "done" }
  | {
      readonly kind: "ingested";
      readonly v1?: Uint8Array | undefined;
      readonly v2?: Uint8Array | undefined;
    }
  /**
   * Four numbers a file: size, mtimeMs, inode and place; an absent file has -1, depth and empty
   * (`NearestFolder`) instead.
   */
  | { readonly kind: "stamps"; readonly stamps: Float64Array }
  | { readonly kind: "digests"; readonly found: PieceDigests }
  | DiskFailure;

export type DiskReply =
  | { readonly kind: "outcome"; readonly id: number; readonly outcome: DiskOutcomeMessage }
  /** Two numbers a piece: its index, and 1 when it is intact. */
  | { readonly kind: "judged"; readonly id: number; readonly pieces: Uint32Array }
  | { readonly kind: "progress"; readonly id: number; readonly bytes: number };

/**
 * Decodes the last number of a stamp, an index into this list: the kind of entry in a file's place.
 * Index 0 is a plain file, or nothing.
 */
export const PLACE_KINDS = [undefined, "folder", "link", "special", "no-folder"] as const;
/** Added to that number when the entry stands under the name of an unfinished file. */
export const UNFINISHED_PLACE = PLACE_KINDS.length;
/** Numbers in one stamp. */
export const STAMP_NUMBERS = 4;
