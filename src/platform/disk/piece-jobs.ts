import { existsSync } from "node:fs";
import { BLOCK_BYTES } from "../../base/geometry.ts";
import {
  digestPlan,
  expectedHashes,
  hashFault,
  type PieceHashPair,
} from "../../base/piece-hashes.ts";
import type { PieceVerdict } from "../../ports/content.ts";
import type { DigestPlan, PieceDigests } from "../../ports/hasher.ts";
import type { ContentIo } from "./content-io.ts";
import type { DiskOutcomeMessage } from "./disk-job.ts";
import { refusal } from "./disk-refusal.ts";
import { PieceDigester } from "./piece-digest.ts";

/**
 * Pieces are read for checking in parts of this size, so that memory does not depend on the piece
 * size.
 */
const SCRATCH_BYTES = 1024 * 1024;

/** Memory for a piece with separate blocks, each after a head that stays untouched. */
export interface Frames {
  readonly bytes: Uint8Array;
  readonly headBytes: number;
}

/** Checks, writes and reads the pieces of contents, one at a time. Every worker has one. */
export class PieceJobs {
  readonly #scratch = new Uint8Array(new ArrayBuffer(SCRATCH_BYTES));

  /** Hashes a piece in memory and writes it if it is intact. */
  store(io: ContentIo, piece: number, bytes: Uint8Array, digests: boolean): PieceVerdict {
    const size = io.table.requestSize(piece);
    const data = bytes.subarray(0, size);
    clearPadding(io, piece, data);
    const expected = expectedHashes(io.table.shared, piece);
    const plan = planFor(io, piece, expected, digests);
    const found = digestWhole(data, plan);
    const verdict = judge(expected, found, () => digestWhole(data, BLOCKS_ONLY).blocks);
    if (verdict.kind === "intact") this.#write(io, piece, 0, data);
    return verdict;
  }

  /** Writes a piece whose hashes are unknown, and computes them. */
  ingest(
    io: ContentIo,
    piece: number,
    bytes: Uint8Array,
    want: { readonly v1: boolean; readonly v2: boolean },
  ): DiskOutcomeMessage {
    const data = bytes.subarray(0, io.table.requestSize(piece));
    clearPadding(io, piece, data);
    const found = digestWhole(data, digestPlan(io.table, piece, { ...want, blocks: false }));
    this.#write(io, piece, 0, data);
    return { kind: "ingested", v1: found.v1, v2: found.v2 };
  }

  write(io: ContentIo, piece: number, begin: number, bytes: Uint8Array): void {
    this.#write(io, piece, begin, bytes);
  }

  /**
   * Checks a piece on disk. Missing bytes make it corrupt, unless the whole content is gone.
   *
   * @param frames - Receives the blocks.
   */
  verify(io: ContentIo, piece: number, digests: boolean, frames?: Frames): PieceVerdict {
    const expected = expectedHashes(io.table.shared, piece);
    const plan = planFor(io, piece, expected, digests);
    const found = frames
      ? digestFrames(io, piece, plan, frames)
      : this.#digestStored(io, piece, plan);
    if (found) {
      const blocks = (): Uint8Array | undefined =>
        this.#digestStored(io, piece, BLOCKS_ONLY)?.blocks;
      return judge(expected, found, blocks);
    }
    const { root } = io.table.shared;
    if (!existsSync(root)) throw refusal("ENOENT", root);
    return { kind: "corrupt", fault: hashFault(expected, {})! };
  }

  /** Reads runs into `target`. */
  read(io: ContentIo, target: Uint8Array, runs: Uint32Array): DiskOutcomeMessage {
    const { pieceLength } = io.table.shared;
    for (let at = 0; at < runs.length;) {
      // Adjacent runs of the space are read with one system call, wherever they go in the target.
      const start = runs[at]! * pieceLength + runs[at + 1]!;
      const parts: Uint8Array[] = [];
      for (let end = start; at < runs.length; at += 4) {
        if (runs[at]! * pieceLength + runs[at + 1]! !== end) break;
        const length = runs[at + 2]!;
        const targetStart: number = runs[at + 3]!;
        parts.push(target.subarray(targetStart, targetStart + length));
        end += length;
      }
      io.readGathered(start, parts);
    }
    return { kind: "done" };
  }

  /**
   * Hashes consecutive pieces with few reads: small pieces share one.
   *
   * @param onPiece - Gets `undefined` for an incomplete piece when `how` is lenient.
   */
  digestRange(
    io: ContentIo,
    range: { readonly first: number; readonly end: number },
    want: { readonly v1: boolean; readonly v2: boolean; readonly how: "strict" | "lenient" },
    onPiece: (piece: number, found: PieceDigests | undefined) => void,
  ): void {
    io.files.beginBurst();
    try {
      this.#digestRange(io, range, want, onPiece);
    } finally {
      io.files.endBurst();
    }
  }

  #digestRange(
    io: ContentIo,
    range: { readonly first: number; readonly end: number },
    want: { readonly v1: boolean; readonly v2: boolean; readonly how: "strict" | "lenient" },
    onPiece: (piece: number, found: PieceDigests | undefined) => void,
  ): void {
    const { pieceLength } = io.table.shared;
    const perRead = Math.max(1, Math.floor(this.#scratch.length / pieceLength));
    for (let first = range.first; first < range.end; first += perRead) {
      const end = Math.min(first + perRead, range.end);
      if (!this.#digestTogether(io, first, end, want, onPiece)) {
        for (let piece = first; piece < end; piece += 1) {
          const digester = new PieceDigester(
            digestPlan(io.table, piece, { ...want, blocks: false }),
          );
          const there = this.#feedStored(io, piece, digester, want.how);
          onPiece(piece, there ? digester.finish() : undefined);
        }
      }
    }
  }

  /**
   * @returns False when each piece must be read separately, because bytes are missing or padded.
   */
  #digestTogether(
    io: ContentIo,
    first: number,
    end: number,
    want: { readonly v1: boolean; readonly v2: boolean },
    onPiece: (piece: number, found: PieceDigests) => void,
  ): boolean {
    const { pieceLength } = io.table.shared;
    if (end - first === 1) return false;
    // Padded pieces are files of their own: reading them together saves nothing and fills in zeros.
    for (let piece = first; piece < end - 1; piece += 1) {
      if (io.table.requestSize(piece) < pieceLength) return false;
    }
    const length = (end - 1 - first) * pieceLength + io.table.requestSize(end - 1);
    const together = this.#scratch.subarray(0, length);
    if (!io.isThere(() => io.read(first * pieceLength, together))) return false;
    for (let piece = first; piece < end; piece += 1) {
      const at = (piece - first) * pieceLength;
      const bytes = this.#scratch.subarray(at, at + io.table.requestSize(piece));
      onPiece(piece, digestWhole(bytes, digestPlan(io.table, piece, { ...want, blocks: false })));
    }
    return true;
  }

  #digestStored(io: ContentIo, piece: number, plan: DigestPlan): PieceDigests | undefined {
    const digester = new PieceDigester(plan);
    return this.#feedStored(io, piece, digester, "lenient") ? digester.finish() : undefined;
  }

  /** @returns False when bytes are missing and `how` is lenient. */
  #feedStored(
    io: ContentIo,
    piece: number,
    digester: PieceDigester,
    how: "strict" | "lenient",
  ): boolean {
    const start = piece * io.table.shared.pieceLength;
    const size = io.table.requestSize(piece);
    for (let at = 0; at < size; at += SCRATCH_BYTES) {
      const part = this.#scratch.subarray(0, Math.min(SCRATCH_BYTES, size - at));
      if (how === "strict") io.read(start + at, part);
      else if (!io.isThere(() => io.read(start + at, part))) return false;
      digester.feed(part);
    }
    return true;
  }

  #write(io: ContentIo, piece: number, begin: number, bytes: Uint8Array): void {
    const { readOnly, root, pieceLength } = io.table.shared;
    if (readOnly) throw refusal("EROFS", root);
    io.write(piece * pieceLength + begin, bytes);
  }
}

/** Reads a piece into frames and hashes it there. @returns `undefined` when bytes are missing. */
function digestFrames(
  io: ContentIo,
  piece: number,
  plan: DigestPlan,
  { bytes, headBytes }: Frames,
): PieceDigests | undefined {
  const blocks = framedBlocks({ bytes, headBytes }, io.table.requestSize(piece));
  const start = piece * io.table.shared.pieceLength;
  if (!io.isThere(() => io.readGathered(start, blocks))) return undefined;
  const digester = new PieceDigester(plan);
  for (const block of blocks) digester.feed(block);
  return digester.finish();
}

/** @returns The locations of the blocks, which add up to `size` bytes. */
export function framedBlocks({ bytes, headBytes }: Frames, size: number): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  for (let begin = 0, at = headBytes; begin < size; begin += BLOCK_BYTES) {
    const length = Math.min(BLOCK_BYTES, size - begin);
    blocks.push(bytes.subarray(at, at + length));
    at += length + headBytes;
  }
  return blocks;
}

const BLOCKS_ONLY: DigestPlan = { v1Bytes: undefined, v2: undefined, blocks: true };

function digestWhole(bytes: Uint8Array, plan: DigestPlan): PieceDigests {
  const digester = new PieceDigester(plan);
  digester.feed(bytes);
  return digester.finish();
}

function planFor(
  io: ContentIo,
  piece: number,
  expected: PieceHashPair,
  blocks: boolean,
): DigestPlan {
  const want = { v1: expected.v1 !== undefined, v2: expected.v2 !== undefined, blocks };
  return digestPlan(io.table, piece, want);
}

/**
 * True when the digests match every expected hash; with nothing expected, a piece is not intact.
 */
export function isIntact(io: ContentIo, piece: number, found: PieceDigests): boolean {
  return hashFault(expectedHashes(io.table.shared, piece), found) === undefined;
}

function judge(
  expected: PieceHashPair,
  found: PieceDigests,
  blocks: () => Uint8Array | undefined,
): PieceVerdict {
  const fault = hashFault(expected, found);
  if (!fault) return { kind: "intact", digests: found.blocks };
  return { kind: "corrupt", fault, digests: found.blocks ?? blocks() };
}

/** Zero the padding inside a piece, which was never requested; ignore what follows the data. */
function clearPadding(io: ContentIo, piece: number, data: Uint8Array): void {
  for (const span of io.table.spans(piece * io.table.shared.pieceLength, data.length)) {
    if (io.table.isPad(span.file)) data.fill(0, span.at, span.at + span.length);
  }
}
