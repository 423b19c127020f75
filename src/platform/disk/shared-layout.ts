import { resolve } from "node:path";
import { BLOCK_BYTES } from "../../base/geometry.ts";
import { finish, type Work } from "../../base/work.ts";
import type { ContentLayout } from "../../ports/content.ts";

const PAD = 1;
const EXECUTABLE = 2;

/** Bits of `SharedLayout.state`, changed only by atomic operations. */
export const DIRTY = 1;
/** Created by us since the last sync: the folders above it need a sync too. */
export const CREATED = 2;
/** An unwanted, absent file: its bytes live in the part file. */
export const IN_PART_FILE = 4;
/** For a file or the root: it existed before, so its absence is a failure and not a fresh start. */
export const SEEN = 8;
/** It is decided which of its two names the file has. */
const NAMED = 16;
/** The file has its unfinished name. */
export const UNFINISHED = 32;

/**
 * A content layout in the form the workers get. Everything that grows with the number of files or
 * pieces is in shared memory, so that another worker adds no cost.
 */
export interface SharedLayout {
  readonly root: string;
  readonly partFile: string;
  readonly readOnly: boolean;
  readonly unfinishedSuffix: string | undefined;
  readonly throughLinks: boolean;
  /** True when only the files in `ours` may be written to. */
  readonly claimed: boolean;
  /** Inode of each file, and of the part file, that was created here or claimed; 0 for none. */
  readonly ours: Float64Array;
  readonly pieceLength: number;
  readonly pieceCount: number;
  readonly spaceLength: number;
  readonly aligned: boolean;
  readonly fileCount: number;
  readonly offsets: Float64Array;
  readonly lengths: Float64Array;
  readonly kinds: Uint8Array;
  /** Joined paths in UTF-8, and the end of each. */
  readonly paths: Uint8Array;
  readonly pathEnds: Uint32Array;
  readonly links: ReadonlyMap<number, string>;
  /** State bits of each file, then of the part file, then of the root. */
  readonly state: Uint8Array;
  /** A lock held while files are written to. */
  readonly writing: Int32Array;
  /** Counts how often all files had to be reopened. */
  readonly openings: Int32Array;
  /** Device number of the root; 0 until it was seen. */
  readonly rootDevice: Float64Array;
  readonly v1: Uint8Array | undefined;
  readonly v2: Uint8Array | undefined;
}

/** Files to lay out before other work gets a turn. */
const FILES_PER_STEP = 1_024;

/** Hash tables in shared memory are used as they are; others are copied. */
export function shareLayout(layout: ContentLayout): SharedLayout {
  return finish(shareLayoutInSteps(layout));
}

/** The same in steps, since a torrent may have 200,000 files. */
export function* shareLayoutInSteps(layout: ContentLayout): Work<SharedLayout> {
  const { geometry } = layout;
  const fileCount = geometry.files.length;
  const offsets = new Float64Array(new SharedArrayBuffer(fileCount * 8));
  const lengths = new Float64Array(new SharedArrayBuffer(fileCount * 8));
  const kinds = new Uint8Array(new SharedArrayBuffer(fileCount));
  const pathEnds = new Uint32Array(new SharedArrayBuffer(fileCount * 4));
  const links = new Map<number, string>();
  const encoded: Buffer[] = [];
  let names: string[] = [];
  let pathsEnd = 0;
  for (let index = 0; index < fileCount; index += 1) {
    if (names.length === FILES_PER_STEP) {
      encoded.push(Buffer.from(names.join("")));
      names = [];
      yield;
    }
    const extent = geometry.files[index]!;
    const file = layout.files[index];
    offsets[index] = extent.offset;
    lengths[index] = extent.length;
    kinds[index] = (extent.pad ? PAD : 0) | (file?.executable ? EXECUTABLE : 0);
    const name = extent.pad || !file ? "" : file.path;
    names.push(name);
    pathsEnd += Buffer.byteLength(name);
    pathEnds[index] = pathsEnd;
    if (file?.linkTarget !== undefined) links.set(index, file.linkTarget);
  }
  encoded.push(Buffer.from(names.join("")));
  const paths = new Uint8Array(new SharedArrayBuffer(pathsEnd));
  let at = 0;
  for (const part of encoded) {
    paths.set(part, at);
    at += part.length;
  }
  return {
    // No trailing slash, because paths below are recognised by comparison.
    root: resolve(layout.root),
    partFile: resolve(layout.partFile),
    readOnly: layout.readOnly,
    unfinishedSuffix: layout.unfinishedSuffix,
    throughLinks: layout.throughLinks === true,
    claimed: layout.existing === "claimed",
    ours: new Float64Array(new SharedArrayBuffer((fileCount + 1) * 8)),
    pieceLength: geometry.pieceLength,
    pieceCount: geometry.pieceCount,
    spaceLength: geometry.spaceLength,
    aligned: geometry.aligned,
    fileCount,
    offsets,
    lengths,
    kinds,
    paths,
    pathEnds,
    links,
    state: new Uint8Array(new SharedArrayBuffer(fileCount + 2)),
    writing: new Int32Array(new SharedArrayBuffer(4)),
    openings: new Int32Array(new SharedArrayBuffer(4)),
    rootDevice: new Float64Array(new SharedArrayBuffer(8)),
    v1: shared(layout.hashes.v1),
    v2: shared(layout.hashes.v2),
  };
}

function shared(table: Uint8Array | undefined): Uint8Array | undefined {
  if (!table || table.buffer instanceof SharedArrayBuffer) return table;
  const copy = new Uint8Array(new SharedArrayBuffer(table.length));
  copy.set(table);
  return copy;
}

/** A run of bytes inside one file. */
export interface Span {
  readonly file: number;
  /** Offset in the file, in bytes. */
  readonly offset: number;
  readonly length: number;
  /** Offset in the run that was asked for, in bytes. */
  readonly at: number;
}

/** The arithmetic of `base/geometry.ts` on the shared tables. */
export class LayoutTable {
  readonly shared: SharedLayout;

  constructor(shared: SharedLayout) {
    this.shared = shared;
  }

  /** Stands for the part file wherever an index names a file. */
  get partIndex(): number {
    return this.shared.fileCount;
  }

  get rootIndex(): number {
    return this.shared.fileCount + 1;
  }

  isPad(file: number): boolean {
    return (this.shared.kinds[file]! & PAD) !== 0;
  }

  isExecutable(file: number): boolean {
    return (this.shared.kinds[file]! & EXECUTABLE) !== 0;
  }

  isLink(file: number): boolean {
    return this.shared.links.has(file);
  }

  /** Path below the root, components joined by "/". */
  path(file: number): string {
    const { paths, pathEnds } = this.shared;
    const start = file === 0 ? 0 : pathEnds[file - 1]!;
    return Buffer.from(paths.buffer, start, pathEnds[file]! - start).toString();
  }

  has(file: number, bit: number): boolean {
    return (Atomics.load(this.shared.state, file) & bit) !== 0;
  }

  /** @returns True when the file has its unfinished name; `undefined` until that is decided. */
  isUnfinished(file: number): boolean | undefined {
    const state = Atomics.load(this.shared.state, file);
    return (state & NAMED) === 0 ? undefined : (state & UNFINISHED) !== 0;
  }

  /** Decides which name a file has. The first of several workers wins. @returns The decision. */
  decideName(file: number, unfinished: boolean): boolean {
    const { state } = this.shared;
    for (;;) {
      const decided = this.isUnfinished(file);
      if (decided !== undefined) return decided;
      const before = Atomics.load(state, file) & ~NAMED;
      const after = before | NAMED | (unfinished ? UNFINISHED : 0);
      Atomics.compareExchange(state, file, before, after);
    }
  }

  /** Forgets the decision: the next query makes it anew. */
  forgetName(file: number): void {
    this.unmark(file, NAMED | UNFINISHED);
  }

  /** The number of files, part file included, that have this bit. */
  count(bit: number): number {
    let count = 0;
    for (let file = 0; file <= this.partIndex; file += 1) if (this.has(file, bit)) count += 1;
    return count;
  }

  /** A copy of every file's bits, for restoring them. */
  snapshot(): Uint8Array {
    return this.shared.state.slice();
  }

  /** Sets the ones among `bits` that were set in the snapshot. */
  putBack(snapshot: Uint8Array, bits: number): void {
    for (const [file, known] of snapshot.entries()) {
      if ((known & bits) !== 0) this.mark(file, known & bits);
    }
  }

  /** @param inode - The inode of the entry in the file's place. */
  mayWriteTo(file: number, inode: number): boolean {
    const { claimed, ours } = this.shared;
    // The part file has a name of our own.
    return !claimed || file === this.partIndex || ours[file] === inode;
  }

  own(file: number, inode: number): void {
    this.shared.ours[file] = inode;
  }

  mark(file: number, bit: number): void {
    Atomics.or(this.shared.state, file, bit);
  }

  /** @returns True when the bit was set. */
  unmark(file: number, bit: number): boolean {
    return (Atomics.and(this.shared.state, file, ~bit) & bit) !== 0;
  }

  /** Bytes that the v1 hash covers, padding included; in a v2-only torrent, those of the file. */
  pieceSize(piece: number): number {
    const { pieceLength, spaceLength, aligned } = this.shared;
    const start = piece * pieceLength;
    return aligned ? this.dataSize(piece) : Math.min(pieceLength, spaceLength - start);
  }

  /** Bytes up to the last one that is not padding. */
  requestSize(piece: number): number {
    const start = piece * this.shared.pieceLength;
    const last = this.spans(start, this.pieceSize(piece)).findLast(
      (span) => !this.isPad(span.file),
    );
    return last ? last.at + last.length : 0;
  }

  /** Bytes of the one file in a piece of a v2 or hybrid torrent. */
  dataSize(piece: number): number {
    const { pieceLength, offsets, lengths } = this.shared;
    const start = piece * pieceLength;
    const file = this.fileAt(start);
    return Math.min(pieceLength, offsets[file]! + lengths[file]! - start);
  }

  /** Leaves of the subtree whose node covers this piece (BEP 52): the whole tree for a small file. */
  leafWidth(piece: number): number {
    const { pieceLength, lengths } = this.shared;
    const fileLength = lengths[this.fileAt(piece * pieceLength)]!;
    const covered = Math.min(fileLength, pieceLength);
    let width = 1;
    while (width * BLOCK_BYTES < covered) width *= 2;
    return width;
  }

  /** The last nonempty file that starts at or before `offset`; 0 when there is none. */
  fileAt(offset: number): number {
    const { offsets, lengths, fileCount } = this.shared;
    let low = 0;
    let high = fileCount - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (offsets[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    while (low > 0 && lengths[low] === 0) low -= 1;
    return low;
  }

  /** The runs of files in order, padding included, gaps between files left out. */
  spans(start: number, length: number): Span[] {
    const { offsets, lengths, fileCount } = this.shared;
    const spans: Span[] = [];
    const end = start + length;
    for (let file = this.fileAt(start); file < fileCount; file += 1) {
      const fileStart = offsets[file]!;
      if (fileStart >= end) break;
      const from = Math.max(start, fileStart);
      const to = Math.min(end, fileStart + lengths[file]!);
      if (to <= from) continue;
      spans.push({ file, offset: from - fileStart, length: to - from, at: from - start });
    }
    return spans;
  }
}
