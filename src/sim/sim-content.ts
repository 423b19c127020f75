import { equalBytes } from "../base/bytes.ts";
import { BLOCK_BYTES } from "../base/geometry.ts";
import { sha1 } from "../base/hash.ts";
import { NODE_BYTES } from "../metainfo/merkle.ts";
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
} from "../ports/content.ts";
import { nodeOf } from "./sim-torrent.ts";

const DONE: DiskOutcome = { kind: "done" };
const DIGEST_BYTES = 20;

export interface SimFile {
  readonly bytes: Uint8Array;
  /** Blocks that take up room. */
  readonly blocks: Set<number>;
  readonly inode: number;
  size: number;
  mtimeMs: number;
}

/** What open torrents need of their disk. */
export interface ContentDisk {
  /** Says which blocks are read as something else than they are. */
  readonly lies: ((piece: number, begin: number) => boolean) | undefined;
  /** Nothing that is read ever arrives. */
  readonly stuck: boolean;
  /** Nothing of it can be looked at or read. */
  readonly broken: boolean;
  find(path: string): SimFile | undefined;
  /** Bytes that may still be written below a folder. */
  room(folder: string): number;
  /** Writes at once. @returns Why not; then nothing is written. */
  write(
    folder: string,
    path: string,
    options: { offset: number; bytes: Uint8Array; length: number },
  ): DiskFailure | undefined;
  /** Does a job when those before it are done and its bytes have passed. */
  work(bytes: number, job: () => void): void;
}

/** One open torrent. Unwanted files are written where they belong: there is no part file. */
export class SimContent implements OpenContent, ByteStore, PieceJudge, FileWatch, FilePlaces {
  readonly bytes: ByteStore = this;
  readonly judge: PieceJudge = this;
  readonly watch: FileWatch = this;
  readonly places: FilePlaces = this;
  readonly #disk: ContentDisk;
  readonly #layout: ContentLayout;

  constructor(disk: ContentDisk, layout: ContentLayout) {
    this.#disk = disk;
    this.#layout = layout;
  }

  store: PieceJudge["store"] = (piece, slab, { digests }, onDone) => {
    const { geometry } = this.#layout;
    const size = geometry.requestSize(piece);
    this.#disk.work(size, () => {
      const bytes = slab.view.subarray(0, size);
      const verdict = this.#judge(piece, bytes, digests);
      const failed = verdict.kind === "intact" && this.#write(piece, 0, bytes);
      onDone(failed || verdict);
    });
  };

  write: ByteStore["write"] = (piece, { begin, length }, { slab, slabOffset }, onDone) => {
    this.#disk.work(length, () => {
      const bytes = slab.view.subarray(slabOffset, slabOffset + length);
      onDone(this.#write(piece, begin, bytes) ?? DONE);
    });
  };

  verify: PieceJudge["verify"] = (piece, { digests, frames }, onDone) => {
    const size = this.#layout.geometry.requestSize(piece);
    this.#disk.work(size, () => {
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
      onDone(failed ?? this.#judge(piece, bytes, digests));
    });
  };

  ingest: PieceJudge["ingest"] = (piece, slab, want, onDone) => {
    const size = this.#layout.geometry.requestSize(piece);
    this.#disk.work(size, () => {
      const bytes = slab.view.subarray(0, size);
      const failed = this.#write(piece, 0, bytes);
      const v1 = want.v1 && { v1: this.#sha1(piece, bytes) };
      const v2 = want.v2 && { v2: this.#node(piece, bytes) };
      onDone(failed ?? { ...v1, ...v2 });
    });
  };

  check: PieceJudge["check"] = ({ pieces, onPiece, onDone }) => {
    const rest = [...pieces.indexes()];
    let stopped = false;
    const next = (): void => {
      if (stopped) return;
      const piece = rest.shift();
      if (piece === undefined) {
        onDone(DONE);
        return;
      }
      this.verify(piece, { digests: false }, (verdict) => {
        if (stopped) return;
        if (verdict.kind === "failure" && verdict.code !== "ENOENT") {
          onDone(verdict);
          return;
        }
        onPiece(piece, verdict.kind === "intact");
        next();
      });
    };
    this.#disk.work(0, next);
    return () => {
      stopped = true;
    };
  };

  read: ByteStore["read"] = (slab, runs, onDone) => {
    const total = runs.reduce((sum, run) => sum + run.length, 0);
    this.#disk.work(total, () => {
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

  sync: ByteStore["sync"] = (onDone) => this.#disk.work(0, () => onDone(DONE));

  stamp: FileWatch["stamp"] = (onDone) => {
    this.#disk.work(0, () => {
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

  /** Nothing of the kind happens to simulated disks. */
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

  /** Nobody else has files on a simulated disk. */
  claim: FilePlaces["claim"] = (_files, onDone) => this.#disk.work(0, () => onDone(DONE));

  setAside: FilePlaces["setAside"] = (_files, onDone) => this.#disk.work(0, () => onDone(DONE));

  setWanted: FilePlaces["setWanted"] = (_wanted, onDone) => this.#disk.work(0, () => onDone(DONE));

  /** Files have their names from the start. */
  finish: FilePlaces["finish"] = (_files, onDone) => this.#disk.work(0, () => onDone(DONE));

  freeSpace: FilePlaces["freeSpace"] = (onDone) =>
    this.#disk.work(0, () => onDone(this.#disk.room(this.#layout.root)));

  close: ByteStore["close"] = (onDone) => this.#disk.work(0, onDone);

  /** @param bytes - Those of the piece that are not padding. */
  #judge(piece: number, bytes: Uint8Array, digests: boolean): PieceVerdict {
    const { hashes } = this.#layout;
    let v1Fails = false;
    if (hashes.v1) {
      const expected = hashes.v1.subarray(piece * DIGEST_BYTES, (piece + 1) * DIGEST_BYTES);
      v1Fails = !equalBytes(this.#sha1(piece, bytes), expected);
    }
    const v2Fails = hashes.v2 !== undefined && this.#failsV2(piece, bytes, hashes.v2);
    if (v1Fails || v2Fails) {
      const fault = v1Fails && v2Fails ? "both" : v1Fails ? "v1" : "v2";
      return { kind: "corrupt", fault, digests: blockDigests(bytes) };
    }
    return { kind: "intact", digests: digests ? blockDigests(bytes) : undefined };
  }

  #failsV2(piece: number, bytes: Uint8Array, table: Uint8Array): boolean {
    const expected = table.subarray(piece * NODE_BYTES, (piece + 1) * NODE_BYTES);
    if (expected.every((byte) => byte === 0)) return false;
    return !equalBytes(this.#node(piece, bytes), expected);
  }

  #sha1(piece: number, bytes: Uint8Array): Uint8Array {
    const whole = new Uint8Array(this.#layout.geometry.pieceSize(piece));
    whole.set(bytes);
    return sha1(whole);
  }

  #node(piece: number, bytes: Uint8Array): Uint8Array {
    const { geometry } = this.#layout;
    const { pieceLength } = geometry;
    const file = geometry.files[geometry.fileAt(piece * pieceLength)]!;
    return nodeOf(bytes, { pieceLength, alone: file.length <= pieceLength });
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

function blockDigests(bytes: Uint8Array): Uint8Array {
  const digests = new Uint8Array(Math.ceil(bytes.length / BLOCK_BYTES) * DIGEST_BYTES);
  for (let at = 0; at * BLOCK_BYTES < bytes.length; at += 1) {
    const block = bytes.subarray(at * BLOCK_BYTES, (at + 1) * BLOCK_BYTES);
    digests.set(sha1(block), at * DIGEST_BYTES);
  }
  return digests;
}
