import { BLOCK_BYTES } from "../base/geometry.ts";
import { digestPlan, expectedHashes, hashFault } from "../base/piece-hashes.ts";
import type {
  ByteStore,
  ContentLayout,
  DiskFailure,
  DiskOutcome,
  FilePlaces,
  FileWatch,
  OpenContent,
  PieceJudge,
  PieceVerdict,
  Slab,
} from "../ports/content.ts";
import type { DigestPlan } from "../ports/hasher.ts";
import { digest } from "./sim-hasher.ts";

const DONE: DiskOutcome = { kind: "done" };
const BLOCKS_ONLY: DigestPlan = { v1Bytes: undefined, v2: undefined, blocks: true };

export interface SimFile {
  readonly bytes: Uint8Array;
  /** Blocks that occupy space. */
  readonly blocks: Set<number>;
  readonly inode: number;
  size: number;
  mtimeMs: number;
}

/** What open torrents need from their disk. */
export interface ContentDisk {
  /** Decides which blocks read as other bytes than they hold. */
  readonly lies: ((piece: number, begin: number) => boolean) | undefined;
  /** True when no read ever completes. */
  readonly stuck: boolean;
  /** True when nothing can be examined or read. */
  readonly broken: boolean;
  find(path: string): SimFile | undefined;
  /** A file with several names becomes one of its own. */
  unshare(path: string): void;
  /** Bytes that may still be written below a folder. */
  room(folder: string): number;
  /** Writes at once. @returns The failure, if any; then nothing was written. */
  write(
    folder: string,
    path: string,
    options: { offset: number; bytes: Uint8Array; length: number },
  ): DiskFailure | undefined;
  /** Runs a job when the earlier ones are done and the time for its bytes has passed. */
  work(bytes: number, job: () => void): void;
}

/** One open torrent. Unwanted files are written in place: there is no part file. */
export class SimContent implements OpenContent, ByteStore, PieceJudge, FileWatch, FilePlaces {
  readonly bytes: ByteStore = this;
  readonly judge: PieceJudge = this;
  readonly watch: FileWatch = this;
  readonly places: FilePlaces = this;
  readonly #disk: ContentDisk;
  readonly #layout: ContentLayout;
  readonly #stopChecks = new Set<() => void>();
  #closed = false;

  constructor(disk: ContentDisk, layout: ContentLayout) {
    this.#disk = disk;
    this.#layout = layout;
  }

  store: PieceJudge["store"] = (piece, slab, { digests }, onDone) => {
    const { geometry } = this.#layout;
    const size = geometry.requestSize(piece);
    this.#work(size, onDone, () => {
      const bytes = this.#takePiece(piece, slab);
      const verdict = this.#judge(piece, bytes, digests);
      const failed = verdict.kind === "intact" && this.#write(piece, 0, bytes);
      onDone(failed || verdict);
    });
  };

  write: ByteStore["write"] = (piece, { begin, length }, { slab, slabOffset }, onDone) => {
    this.#work(length, onDone, () => {
      const bytes = slab.view.subarray(slabOffset, slabOffset + length);
      onDone(this.#write(piece, begin, bytes) ?? DONE);
    });
  };

  verify: PieceJudge["verify"] = (piece, { digests, frames }, onDone) => {
    const size = this.#layout.geometry.requestSize(piece);
    this.#work(size, onDone, () => {
      if (this.#disk.stuck) return;
      const bytes = new Uint8Array(size);
      const failed = this.#read(piece, 0, bytes);
      for (let begin = 0, at = 0; frames && begin < size; begin += BLOCK_BYTES) {
        at += frames.headBytes;
        const block = bytes.subarray(begin, begin + BLOCK_BYTES);
        frames.slab.view.set(block, at);
        if (this.#disk.lies?.(piece, begin) === true) frames.slab.view[at]! ^= 0xff;
        at += block.length;
      }
      if (failed?.code === "ENOENT") {
        const expected = expectedHashes(this.#layout.hashes, piece);
        onDone({ kind: "corrupt", fault: hashFault(expected, {})! });
      } else onDone(failed ?? this.#judge(piece, bytes, digests));
    });
  };

  ingest: PieceJudge["ingest"] = (piece, slab, want, onDone) => {
    const size = this.#layout.geometry.requestSize(piece);
    this.#work(size, onDone, () => {
      const bytes = this.#takePiece(piece, slab);
      const plan = digestPlan(this.#layout.geometry, piece, { ...want, blocks: false });
      const { v1, v2 } = digest(bytes, plan);
      const failed = this.#write(piece, 0, bytes);
      onDone(failed ?? { ...(v1 && { v1 }), ...(v2 && { v2 }) });
    });
  };

  check: PieceJudge["check"] = ({ pieces, onPiece, onDone }) => {
    const rest = [...pieces.indexes()];
    let stopped = false;
    const stop = (): void => {
      stopped = true;
      this.#stopChecks.delete(stop);
    };
    const next = (): void => {
      if (stopped) return;
      const piece = rest.shift();
      if (piece === undefined) {
        stop();
        onDone(DONE);
        return;
      }
      this.verify(piece, { digests: false }, (verdict) => {
        if (stopped) return;
        if (verdict.kind === "failure") {
          stop();
          onDone(verdict);
          return;
        }
        onPiece(piece, verdict.kind === "intact");
        next();
      });
    };
    this.#stopChecks.add(stop);
    this.#work(0, onDone, next);
    return stop;
  };

  read: ByteStore["read"] = (slab, runs, onDone) => {
    const total = runs.reduce((sum, run) => sum + run.length, 0);
    this.#work(total, onDone, () => {
      if (this.#disk.stuck) return;
      for (const { piece, begin, length, slabOffset } of runs) {
        const target = slab.view.subarray(slabOffset, slabOffset + length);
        const failed = this.#read(piece, begin, target);
        if (failed) {
          onDone(failed);
          return;
        }
        if (this.#disk.lies?.(piece, begin) === true) target[0]! ^= 0xff;
      }
      onDone(DONE);
    });
  };

  sync: ByteStore["sync"] = (onDone) => this.#work(0, onDone, () => onDone(DONE));

  stamp: FileWatch["stamp"] = (onDone) => {
    this.#work(0, onDone, () => {
      if (this.#disk.broken) {
        onDone(brokenAt(this.#layout.root));
        return;
      }
      onDone(
        this.#layout.geometry.files.map(({ pad }, index) => {
          const file = pad ? undefined : this.#disk.find(this.#path(index));
          if (!file) return { size: -1, mtimeMs: 0, inode: 0 };
          return { size: file.size, mtimeMs: file.mtimeMs, inode: file.inode };
        }),
      );
    });
  };

  /** Does nothing, because this never happens to simulated disks. */
  reopen: FileWatch["reopen"] = (_lost, onDone) => this.#disk.work(0, () => onDone(DONE));

  createEmpty: FilePlaces["createEmpty"] = (onDone) => {
    this.#disk.work(0, () => {
      for (const [index, { length, pad }] of this.#layout.geometry.files.entries()) {
        if (length > 0 || pad) continue;
        const empty = { offset: 0, bytes: new Uint8Array(0), length: 0 };
        this.#disk.write(this.#layout.root, this.#path(index), empty);
      }
      onDone(DONE);
    });
  };

  claim: FilePlaces["claim"] = (files, onDone) => {
    this.#disk.work(0, () => {
      for (const file of files) this.#disk.unshare(this.#path(file));
      onDone(DONE);
    });
  };

  setAside: FilePlaces["setAside"] = (_files, onDone) => this.#disk.work(0, () => onDone(DONE));

  setWanted: FilePlaces["setWanted"] = (_wanted, onDone) => this.#disk.work(0, () => onDone(DONE));

  /** Files have their final names from the start. */
  finish: FilePlaces["finish"] = (_files, onDone) => this.#disk.work(0, () => onDone(DONE));

  close: ByteStore["close"] = (onDone) => {
    this.#closed = true;
    for (const stop of this.#stopChecks) stop();
    this.#disk.work(0, onDone);
  };

  /** Runs a job in its turn, unless the content was closed before. */
  #work(bytes: number, onDone: (failure: DiskFailure) => void, job: () => void): void {
    const { root } = this.#layout;
    const isClosed = this.#closed;
    this.#disk.work(bytes, () => {
      if (isClosed) onDone({ kind: "failure", code: "EBADF", message: "closed", path: root });
      else job();
    });
  }

  /** @param bytes - The piece's bytes without padding. */
  #judge(piece: number, bytes: Uint8Array, digests: boolean): PieceVerdict {
    const { hashes, geometry } = this.#layout;
    const expected = expectedHashes(hashes, piece);
    const want = { v1: expected.v1 !== undefined, v2: expected.v2 !== undefined, blocks: digests };
    const found = digest(bytes, digestPlan(geometry, piece, want));
    const fault = hashFault(expected, found);
    if (!fault) return { kind: "intact", digests: found.blocks };
    return { kind: "corrupt", fault, digests: found.blocks ?? digest(bytes, BLOCKS_ONLY).blocks };
  }

  /**
   * @returns The bytes of a piece without padding at its end; padding in the middle was never
   * requested.
   */
  #takePiece(piece: number, slab: Slab): Uint8Array {
    const { geometry } = this.#layout;
    const bytes = slab.view.subarray(0, geometry.requestSize(piece));
    const start = piece * geometry.pieceLength;
    for (const { file, offset, length } of geometry.spans(start, bytes.length)) {
      const extent = geometry.files[file]!;
      const at = extent.offset + offset - start;
      if (extent.pad) bytes.fill(0, at, at + length);
    }
    return bytes;
  }

  #write(piece: number, begin: number, bytes: Uint8Array): DiskFailure | undefined {
    const { geometry, root } = this.#layout;
    let done = 0;
    for (const span of geometry.spans(piece * geometry.pieceLength + begin, bytes.length)) {
      const part = bytes.subarray(done, done + span.length);
      done += span.length;
      const extent = geometry.files[span.file]!;
      if (extent.pad) continue;
      const to = { offset: span.offset, bytes: part, length: extent.length };
      const failed = this.#disk.write(root, this.#path(span.file), to);
      if (failed) return failed;
    }
    return undefined;
  }

  #read(piece: number, begin: number, target: Uint8Array): DiskFailure | undefined {
    const { geometry } = this.#layout;
    let done = 0;
    for (const span of geometry.spans(piece * geometry.pieceLength + begin, target.length)) {
      const part = target.subarray(done, done + span.length);
      done += span.length;
      if (geometry.files[span.file]!.pad) {
        part.fill(0);
        continue;
      }
      const path = this.#path(span.file);
      if (this.#disk.broken) return brokenAt(path);
      const file = this.#disk.find(path);
      if (!file) return { kind: "failure", code: "ENOENT", message: "no such file", path };
      part.set(file.bytes.subarray(span.offset, span.offset + span.length));
    }
    return undefined;
  }

  #path(file: number): string {
    return `${this.#layout.root}/${this.#layout.files[file]!.path}`;
  }
}

function brokenAt(path: string): DiskFailure {
  return { kind: "failure", code: "EIO", message: `cannot read ${path}`, path };
}
