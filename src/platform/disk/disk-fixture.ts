import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Bitfield } from "../../base/bitfield.ts";
import { Geometry, type FileExtent } from "../../base/geometry.ts";
import type {
  ContentFile,
  ContentLayout,
  DiskFailure,
  DiskOutcome,
  FileStamp,
  OpenContent,
  PieceVerdict,
  FoundHashes,
  ReadRun,
  SlabPool,
} from "../../ports/content.ts";
import { NodeDisk, type NodeDiskOptions } from "../node-disk.ts";

/** Contents for the tests of the disk, with hashes computed independently. */

export const BLOCK = 16_384;

export type Kind = "v1" | "v2" | "hybrid";

export interface FixtureFile {
  readonly path: string;
  readonly length: number;
  readonly pad?: boolean;
  readonly executable?: boolean;
  readonly linkTarget?: string;
}

export interface Fixture {
  readonly layout: ContentLayout;
  readonly geometry: Geometry;
  /** The whole byte space, with padding and gaps as zeros. */
  readonly space: Uint8Array;
  readonly v1: Uint8Array | undefined;
  readonly v2: Uint8Array | undefined;
}

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "everseed-disk-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function openDisk(t: TestContext, options: NodeDiskOptions = {}): NodeDisk {
  const disk = new NodeDisk({ workers: 2, ...options });
  t.after(() => disk.close());
  return disk;
}

/** Lays files out as a torrent of this kind does; a hybrid has padding up to the end. */
export function makeFixture(
  root: string,
  kind: Kind,
  pieceLength: number,
  files: readonly FixtureFile[],
  options: Partial<
    Pick<ContentLayout, "readOnly" | "existing" | "throughLinks" | "unfinishedSuffix">
  > = {},
): Fixture {
  const extents: FileExtent[] = [];
  const entries: ContentFile[] = [];
  let offset = 0;
  for (const file of files) {
    if (kind === "v2") offset = Math.ceil(offset / pieceLength) * pieceLength;
    extents.push({ offset, length: file.length, pad: file.pad ?? false });
    entries.push({
      path: file.path,
      executable: file.executable ?? false,
      linkTarget: file.linkTarget,
    });
    offset += file.length;
    const tail = (pieceLength - (offset % pieceLength)) % pieceLength;
    if (kind !== "hybrid" || tail === 0 || file.length === 0) continue;
    extents.push({ offset, length: tail, pad: true });
    entries.push({ path: `.pad/${tail}`, executable: false });
    offset += tail;
  }
  const geometry = new Geometry({ pieceLength, files: extents, aligned: kind === "v2" });
  const space = new Uint8Array(geometry.spaceLength);
  for (const { offset: start, length, pad } of extents) {
    for (let i = 0; i < length && !pad; i += 1) space[start + i] = (start + i * 7) % 251;
  }
  const v1 = kind === "v2" ? undefined : tableV1(geometry, space);
  const v2 = kind === "v1" ? undefined : tableV2(geometry, space);
  const layout: ContentLayout = {
    root,
    geometry,
    files: entries,
    hashes: { v1, v2 },
    partFile: join(root, ".parts"),
    readOnly: options.readOnly ?? false,
    unfinishedSuffix: options.unfinishedSuffix,
    existing: options.existing ?? "own",
    throughLinks: options.throughLinks,
  };
  return { layout, geometry, space, v1, v2 };
}

function tableV1(geometry: Geometry, space: Uint8Array): Uint8Array {
  const table = new Uint8Array(geometry.pieceCount * 20);
  for (let piece = 0; piece < geometry.pieceCount; piece += 1) {
    const start = piece * geometry.pieceLength;
    const bytes = space.subarray(start, start + geometry.pieceSize(piece));
    table.set(createHash("sha1").update(bytes).digest(), piece * 20);
  }
  return table;
}

/** BEP 52 spelled out, leaf by leaf. */
function tableV2(geometry: Geometry, space: Uint8Array): Uint8Array {
  const table = new Uint8Array(new SharedArrayBuffer(geometry.pieceCount * 32));
  const { pieceLength } = geometry;
  for (const { offset, length, pad } of geometry.files) {
    if (pad) continue;
    for (let at = 0; at < length; at += pieceLength) {
      const bytes = space.subarray(offset + at, offset + Math.min(at + pieceLength, length));
      let nodes: Buffer[] = [];
      for (let leaf = 0; leaf < bytes.length; leaf += BLOCK)
        nodes.push(sha256(bytes.subarray(leaf, leaf + BLOCK)));
      let width = length > pieceLength ? pieceLength / BLOCK : 1;
      while (width < nodes.length) width *= 2;
      while (nodes.length < width) nodes.push(Buffer.alloc(32));
      while (nodes.length > 1) {
        const above: Buffer[] = [];
        for (let i = 0; i < nodes.length; i += 2)
          above.push(sha256(Buffer.concat([nodes[i]!, nodes[i + 1]!])));
        nodes = above;
      }
      table.set(nodes[0]!, ((offset + at) / pieceLength) * 32);
    }
  }
  return table;
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

/** An opener of contents, and the memory for their calls. */
export interface ContentHost {
  open(layout: ContentLayout): OpenContent;
  createSlabPool(limitBytes: number): SlabPool;
}

/** The content port with promises. */
export class ContentCalls {
  readonly content: OpenContent;
  readonly #disk: ContentHost;
  readonly #fixture: Fixture;

  constructor(disk: ContentHost, fixture: Fixture) {
    this.#disk = disk;
    this.#fixture = fixture;
    this.content = disk.open(fixture.layout);
  }

  /**
   * Stores a piece as it would arrive, with garbage in the place of padding and after the last
   * byte.
   */
  store(piece: number, options: { digests?: boolean; spoil?: number } = {}): Promise<PieceVerdict> {
    const pool = this.#disk.createSlabPool(64 * 1024 * 1024);
    const slab = pool.take(Math.max(1, this.#fixture.geometry.pieceSize(piece)))!;
    this.#arrive(piece, slab.view);
    if (options.spoil !== undefined) slab.view[options.spoil]! ^= 1;
    return new Promise((resolve) => {
      this.content.judge.store(piece, slab, { digests: options.digests ?? false }, (verdict) => {
        pool.give(slab);
        resolve(verdict);
      });
    });
  }

  #arrive(piece: number, into: Uint8Array): void {
    const { geometry, space } = this.#fixture;
    const start = piece * geometry.pieceLength;
    into.fill(0xaa);
    for (const { file, offset, length } of geometry.spans(start, geometry.requestSize(piece))) {
      const extent = geometry.files[file]!;
      const from = extent.offset + offset;
      if (!extent.pad) into.set(space.subarray(from, from + length), from - start);
    }
  }

  storeAll(): Promise<PieceVerdict[]> {
    const { pieceCount } = this.#fixture.geometry;
    return Promise.all(Array.from({ length: pieceCount }, (_, piece) => this.store(piece)));
  }

  /** Hands over a piece as `store` does, to be hashed and written whatever it holds. */
  ingest(
    piece: number,
    want: { readonly v1: boolean; readonly v2: boolean },
  ): Promise<FoundHashes | DiskFailure> {
    const size = this.#fixture.geometry.pieceSize(piece);
    const slab = this.#disk.createSlabPool(64 * 1024 * 1024).take(size)!;
    this.#arrive(piece, slab.view);
    return new Promise((resolve) => this.content.judge.ingest(piece, slab, want, resolve));
  }

  write(piece: number, begin: number, length: number): Promise<DiskOutcome> {
    const { geometry, space } = this.#fixture;
    const start = piece * geometry.pieceLength + begin;
    const slab = this.#disk.createSlabPool(64 * 1024 * 1024).take(length + 3)!;
    slab.view.set(space.subarray(start, start + length), 3);
    return new Promise((resolve) => {
      this.content.bytes.write(piece, { begin, length }, { slab, slabOffset: 3 }, resolve);
    });
  }

  verify(piece: number, digests = false): Promise<PieceVerdict> {
    return new Promise((resolve) => this.content.judge.verify(piece, { digests }, resolve));
  }

  /**
   * Verifies a piece in frames. @returns Its bytes without the heads, or `undefined` when it is not
   * intact.
   */
  async verifyInFrames(piece: number, headBytes: number): Promise<Uint8Array | undefined> {
    const { geometry } = this.#fixture;
    const size = geometry.requestSize(piece);
    const blocks = geometry.blockCount(piece);
    const slab = this.#disk.createSlabPool(64 * 1024 * 1024).take(size + blocks * headBytes + 1)!;
    slab.view.fill(0xaa);
    const frames = { slab, headBytes };
    const verdict = await new Promise<PieceVerdict>((resolve) => {
      this.content.judge.verify(piece, { digests: false, frames }, resolve);
    });
    if (verdict.kind !== "intact") return undefined;
    const bytes = new Uint8Array(size);
    for (let block = 0, at = 0; block < blocks; block += 1) {
      const head = slab.view.subarray(at, at + headBytes);
      assert.ok(
        head.every((byte) => byte === 0xaa),
        "heads are not touched",
      );
      at += headBytes;
      const length = geometry.blockSize(piece, block);
      bytes.set(slab.view.subarray(at, at + length), block * BLOCK);
      at += length;
    }
    return bytes;
  }

  /** @returns Whether each piece is intact; `undefined` for pieces that were not asked about. */
  check(
    pieces: readonly number[] = Array.from(
      { length: this.#fixture.geometry.pieceCount },
      (_, piece) => piece,
    ),
  ): Promise<(boolean | undefined)[] | DiskFailure> {
    const marked = new Bitfield(this.#fixture.geometry.pieceCount);
    for (const piece of pieces) marked.add(piece);
    const judged: (boolean | undefined)[] = Array.from({ length: marked.length }, () => undefined);
    return new Promise((resolve) => {
      this.content.judge.check({
        pieces: marked,
        onPiece: (piece, intact) => (judged[piece] = intact),
        onDone: (outcome) => resolve(outcome.kind === "done" ? judged : outcome),
      });
    });
  }

  /** @returns The bytes of the runs in order, or the failure. */
  read(
    runs: readonly { piece: number; begin: number; length: number }[],
  ): Promise<Uint8Array | DiskFailure> {
    const HEAD = 13;
    const total = runs.reduce((sum, run) => sum + run.length + HEAD, 0);
    const slab = this.#disk.createSlabPool(64 * 1024 * 1024).take(total)!;
    slab.view.fill(0xbb);
    let slabOffset = 0;
    const placed: ReadRun[] = runs.map((run) => {
      slabOffset += HEAD;
      const at = slabOffset;
      slabOffset += run.length;
      return { ...run, slabOffset: at };
    });
    return new Promise((resolve) => {
      this.content.bytes.read(slab, placed, (outcome) => {
        if (outcome.kind !== "done") return resolve(outcome);
        resolve(
          Buffer.concat(
            placed.map((run) => slab.view.slice(run.slabOffset, run.slabOffset + run.length)),
          ),
        );
      });
    });
  }

  /** Reads a whole piece, padding included, block by block, as a peer requests it. */
  readPiece(piece: number): Promise<Uint8Array | DiskFailure> {
    const length = this.#fixture.geometry.pieceSize(piece);
    const runs = [];
    for (let begin = 0; begin < length; begin += BLOCK) {
      runs.push({ piece, begin, length: Math.min(BLOCK, length - begin) });
    }
    return this.read(runs);
  }

  sync(): Promise<DiskOutcome> {
    return new Promise((resolve) => this.content.bytes.sync(resolve));
  }

  stamp(): Promise<readonly FileStamp[] | DiskFailure> {
    return new Promise((resolve) => this.content.watch!.stamp(resolve));
  }

  reopen(lost: readonly number[]): Promise<DiskOutcome> {
    return new Promise((resolve) => this.content.watch!.reopen(lost, resolve));
  }

  createEmpty(): Promise<DiskOutcome> {
    return new Promise((resolve) => this.content.places!.createEmpty(resolve));
  }

  setWanted(wanted: readonly boolean[]): Promise<DiskOutcome> {
    return new Promise((resolve) => this.content.places!.setWanted(wanted, resolve));
  }

  finish(files: readonly number[]): Promise<DiskOutcome> {
    return new Promise((resolve) => this.content.places!.finish(files, resolve));
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.content.bytes.close(resolve));
  }
}
