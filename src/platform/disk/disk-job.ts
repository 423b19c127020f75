import type { DiskFailure, PieceVerdict } from "../../ports/content.ts";
import type { DigestPlan, PieceDigests } from "../../ports/hasher.ts";
import type { SharedLayout } from "./shared-layout.ts";

/** Where in the memory the workers know the bytes of a job lie. */
export interface MemoryRun {
  readonly arena: number;
  readonly offset: number;
  readonly length: number;
}

/** Where the blocks of a piece go, each behind `headBytes` that are not touched. */
export interface FramedMemory {
  readonly target: MemoryRun;
  readonly headBytes: number;
}

/** What a worker learns once and keeps. Not answered. */
export type DiskNotice =
  | { readonly kind: "arena"; readonly arena: number; readonly memory: SharedArrayBuffer }
  | { readonly kind: "drop-arena"; readonly arena: number }
  | { readonly kind: "layout"; readonly content: number; readonly layout: SharedLayout };

/** The part of a sweep over a whole content that all workers share. */
export interface SweepControl {
  /** [0] counts the batches handed out, [1] is not zero once the sweep shall stop. */
  readonly cursor: Int32Array;
}

/** What a worker is asked to do, each answered once; `content` was announced by a notice. */
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
  /** Hashes all pieces into the tables that are there. */
  | {
      readonly kind: "measure";
      readonly control: SweepControl;
      readonly v1: Uint8Array | undefined;
      readonly v2: Uint8Array | undefined;
    }
  /** Makes the share `part` of `parts` of the files durable. */
  | { readonly kind: "sync"; readonly part: number; readonly parts: number }
  /** Makes all of it durable, when it is many files. */
  | { readonly kind: "sync-disk" }
  | { readonly kind: "stamp" }
  /** Opens all files anew from here on, in every worker; those in `lost` may be created. */
  | { readonly kind: "reopen"; readonly lost: readonly number[] }
  /** Files that are there may be written to. */
  | { readonly kind: "claim"; readonly files: readonly number[] }
  /** Files that are there make room. */
  | { readonly kind: "set-aside"; readonly files: readonly number[] }
  | { readonly kind: "create-empty"; readonly unwanted: Uint8Array | undefined }
  | { readonly kind: "set-wanted"; readonly wanted: Uint8Array }
  /** Moves a file's bytes out of the part file, so that pieces of its middle can be written. */
  | { readonly kind: "leave-part-file"; readonly files: readonly number[] }
  /** Gives files that are whole their own names. */
  | { readonly kind: "finish"; readonly files: readonly number[] }
  | { readonly kind: "free-space" }
  | { readonly kind: "close" };

export interface DiskJob {
  readonly id: number;
  readonly content: number;
  readonly task: DiskTask;
}

/** A part of the hashing of one piece, which belongs to no content. All parts go to one worker. */
export interface HashTask {
  /** Names the hashing. */
  readonly hashing: number;
  /** Comes with the first part. */
  readonly plan: DigestPlan | undefined;
  /** `undefined` when the hashing is given up. */
  readonly part:
    | {
        readonly source: FramedMemory;
        /** Bytes to hash, heads left out. */
        readonly length: number;
        readonly isLast: boolean;
      }
    | undefined;
}

export interface HashJob {
  readonly id: number;
  readonly hash: HashTask;
}

/** What a task found. The sender knows which of these belong to which task. */
export type DiskOutcomeMessage =
  | PieceVerdict
  | { readonly kind: "done" }
  | {
      readonly kind: "ingested";
      readonly v1?: Uint8Array | undefined;
      readonly v2?: Uint8Array | undefined;
    }
  /** Three numbers a file: size, mtimeMs, inode; for one that is not there -1, depth, empty (`NearestFolder`). */
  | { readonly kind: "stamps"; readonly stamps: Float64Array }
  | { readonly kind: "bytes"; readonly bytes: number }
  | { readonly kind: "digests"; readonly found: PieceDigests }
  | DiskFailure;

export type DiskReply =
  | { readonly kind: "outcome"; readonly id: number; readonly outcome: DiskOutcomeMessage }
  /** Two numbers a piece: its index, and 1 when it is intact. */
  | { readonly kind: "judged"; readonly id: number; readonly pieces: Uint32Array }
  | { readonly kind: "progress"; readonly id: number; readonly bytes: number };

/** What a stamp's last number says of what stands in a file's place, by its index; the first is a plain file, or nothing. */
export const PLACE_KINDS = [undefined, "folder", "link", "special", "no-folder"] as const;
/** Added to it for what stands under the name of an unfinished file. */
export const UNFINISHED_PLACE = PLACE_KINDS.length;
/** Of one stamp. */
export const STAMP_NUMBERS = 4;
