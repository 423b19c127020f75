import type { Bitfield } from "../../base/bitfield.ts";
import { equalBytes } from "../../base/bytes.ts";
import { BLOCK_BYTES } from "../../base/geometry.ts";
import { sha256 } from "../../base/hash.ts";
import {
  NODE_BYTES,
  padHash,
  parentLayer,
  pieceLayerOf,
  pieceNode,
  treeWidth,
} from "../../metainfo/merkle.ts";
import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import type { RootTable } from "../../metainfo/root-table.ts";
import type { ByteStore, DiskFailure, SlabPool } from "../../ports/content.ts";
import { encodeHashes, encodeHashReject, uncleCount } from "../../wire/hash-transfer.ts";
import type { HashRange } from "../../wire/wire-sink.ts";
import type { MemoryShare } from "../sharing/memory-share.ts";
import { OutputQueue } from "../sharing/output-queue.ts";
import type { UploadPeer } from "./upload-peer.ts";

/** Requests that wait while another one's blocks are being read. */
const QUEUE_MAX = 16;
/** Leaves are hashes of blocks, which we must read to serve them: we refuse longer runs. */
const BYTES_MAX = 16 * 1024 * 1024;
/** Blocks read and hashed without a pause; this takes about a tenth of a millisecond of the main thread. */
const STEP_BYTES = 16 * BLOCK_BYTES;
/**
 * We read at most this much more for a peer than we sent to it: a request of 49 bytes makes us read megabytes,
 * and a peer that looks for a bad block has received the blocks (BEP 52).
 */
const UNPAID_BYTES_MAX = 32 * 1024 * 1024;

/** The disk refused a read. */
export interface RefusedRead {
  readonly kind: "refused";
  readonly failure: DiskFailure;
}

/** One file's tree. */
interface Tree {
  readonly firstPiece: number;
  /** Blocks that hold bytes of the file. */
  readonly leafCount: number;
  /** Layers above the leaves. */
  readonly layers: number;
  /** The layer whose nodes each cover a piece; the root when the file fits in one piece. */
  readonly pieceLayer: number;
  readonly pieceCount: number;
}

interface Job {
  readonly peer: UploadPeer;
  readonly range: HashRange;
  readonly tree: Tree;
  /** Pieces whose leaves are needed; `leaves` holds all leaves of these pieces. */
  readonly first: number;
  readonly end: number;
  readonly leaves: Uint8Array;
  leafCount: number;
}

export interface LeafHashesOptions {
  readonly info: TorrentInfo;
  readonly bytes: Pick<ByteStore, "read">;
  readonly slabs: SlabPool;
  readonly have: Bitfield;
  /** 32 bytes for each piece, zeros where unknown; `undefined` for v1. */
  readonly table: Uint8Array | undefined;
  /** The files that have a tree, by its root; `undefined` for v1. */
  readonly roots: RootTable | undefined;
  /** Notified when memory is returned. */
  readonly memory: Pick<MemoryShare, "handleRoom">;
}

/**
 * Answers requests for the leaf layer of a v2 file's tree (BEP 52). A peer uses the leaves to find the bad block of
 * a corrupt piece. We do not store them: we read and hash the blocks, one request at a time.
 */
export class LeafHashes {
  readonly #options: LeafHashesOptions;
  readonly #queue: Job[] = [];
  readonly #outputs = new OutputQueue<RefusedRead>();
  #busy = false;
  readonly #readFor = new WeakMap<UploadPeer, number>();

  constructor(options: LeafHashesOptions) {
    this.#options = options;
  }

  nextOutput(): RefusedRead | undefined {
    return this.#outputs.next();
  }

  /** @returns False when the request is not for leaves that we can serve; reject it then. */
  handleRequest(peer: UploadPeer, range: HashRange): boolean {
    const tree = this.#treeOf(range.piecesRoot);
    // Where a piece is one block, the piece layer is the leaf layer, and we have it.
    if (!tree || range.baseLayer !== 0 || tree.pieceLayer === 0) return false;
    if (!isInside(range, tree) || this.#queue.length >= QUEUE_MAX) return false;
    const job = this.#plan(peer, range, tree);
    if (!job || !this.#pays(job)) return false;
    this.#queue.push(job);
    this.#next();
    return true;
  }

  /** Computes the tree on demand: a torrent may have 200,000 of them. */
  #treeOf(root: Uint8Array): Tree | undefined {
    const { files, geometry } = this.#options.info;
    const index = this.#options.roots?.find(root);
    if (index === undefined) return undefined;
    const { first, end } = geometry.filePieces(index);
    const leafCount = Math.ceil(files[index]!.length / BLOCK_BYTES);
    const layers = Math.log2(treeWidth(leafCount));
    return {
      firstPiece: first,
      pieceCount: end - first,
      leafCount,
      layers,
      pieceLayer: end - first === 1 ? layers : pieceLayerOf(geometry.pieceLength),
    };
  }

  #plan(peer: UploadPeer, range: HashRange, tree: Tree): Job | undefined {
    const { have, table } = this.#options;
    const perPiece = 2 ** tree.pieceLayer;
    const last = Math.min(range.index + range.length, tree.leafCount) - 1;
    const first = tree.firstPiece + Math.floor(range.index / perPiece);
    const end = tree.firstPiece + Math.floor(last / perPiece) + 1;
    if (!table) return undefined;
    for (let piece = first; piece < end; piece += 1) if (!have.has(piece)) return undefined;
    const leaves = Math.min((end - first) * perPiece, tree.leafCount);
    return {
      peer,
      range,
      tree,
      first,
      end,
      leaves: new Uint8Array(leaves * NODE_BYTES),
      leafCount: 0,
    };
  }

  #pays({ peer, leaves }: Job): boolean {
    const bytes = (leaves.length / NODE_BYTES) * BLOCK_BYTES;
    const read = (this.#readFor.get(peer) ?? 0) + bytes;
    if (bytes > BYTES_MAX || read > peer.uploaded + UNPAID_BYTES_MAX) return false;
    this.#readFor.set(peer, read);
    return true;
  }

  #next(): void {
    if (this.#busy) return;
    const job = this.#queue.shift();
    if (!job) return;
    this.#busy = true;
    this.#read(job, job.first, 0);
  }

  #read(job: Job, piece: number, begin: number): void {
    const { bytes, slabs, info } = this.#options;
    if (piece === job.end || !job.peer.isOpen) {
      this.#answer(job, piece === job.end);
      return;
    }
    const slab = slabs.take(STEP_BYTES);
    if (!slab) {
      this.#answer(job, false);
      return;
    }
    const size = info.geometry.requestSize(piece);
    const length = Math.min(STEP_BYTES, size - begin);
    bytes.read(slab, [{ piece, begin, length, slabOffset: 0 }], (outcome) => {
      if (outcome.kind === "done") {
        for (let at = 0; at < length; at += BLOCK_BYTES) {
          const leaf = sha256(slab.view.subarray(at, Math.min(at + BLOCK_BYTES, length)));
          job.leaves.set(leaf, job.leafCount * NODE_BYTES);
          job.leafCount += 1;
        }
      }
      slabs.give(slab);
      if (outcome.kind === "failure") {
        this.#answer(job, false);
        this.#outputs.push({ kind: "refused", failure: outcome });
      } else if (begin + length < size) this.#read(job, piece, begin + length);
      else this.#read(job, piece + 1, 0);
    });
  }

  #answer(job: Job, read: boolean): void {
    const { peer, range } = job;
    const hashes = read && this.#isIntact(job) ? this.#prove(job) : undefined;
    if (peer.isOpen)
      peer.link.out.frame(hashes ? encodeHashes(range, hashes) : encodeHashReject(range));
    this.#busy = false;
    this.#options.memory.handleRoom();
    this.#next();
  }

  /** Data on disk may be damaged: sending hashes that do not lead to the root would make us look like a liar. */
  #isIntact({ first, end, leaves, tree }: Job): boolean {
    const { info, table } = this.#options;
    const { pieceLength } = info.geometry;
    const perPiece = 2 ** tree.pieceLayer * NODE_BYTES;
    for (let piece = first; piece < end; piece += 1) {
      const at = (piece - first) * perPiece;
      const own = leaves.subarray(at, at + perPiece);
      const node = pieceNode(own, { pieceLength, alone: tree.pieceCount === 1 });
      const offset = piece * NODE_BYTES;
      if (!equalBytes(node, table!.subarray(offset, offset + NODE_BYTES))) return false;
    }
    return true;
  }

  /** The requested leaves, then uncles from low to high: first within the piece, then above its layer. */
  #prove({ range, tree, first, leaves }: Job): Uint8Array {
    const { index, length } = range;
    const start = index - (first - tree.firstPiece) * 2 ** tree.pieceLayer;
    const hashes = new Uint8Array((length + uncleCount(range)) * NODE_BYTES);
    for (let i = 0; i < length; i += 1) hashes.set(nodeAt(leaves, start + i, 0), i * NODE_BYTES);
    const span = Math.log2(length);
    let nodes = raise(leaves, 0, Math.min(span, tree.pieceLayer));
    let position = Math.floor(start / length);
    let layer = span;
    for (let offset = length * NODE_BYTES; offset < hashes.length; offset += NODE_BYTES) {
      if (layer >= tree.pieceLayer && (layer === tree.pieceLayer || layer === span)) {
        nodes = raise(this.#pieceNodes(tree), tree.pieceLayer, layer);
        position = Math.floor(index / 2 ** layer);
      }
      hashes.set(nodeAt(nodes, position % 2 === 0 ? position + 1 : position - 1, layer), offset);
      nodes = parentLayer(nodes, layer);
      position = Math.floor(position / 2);
      layer += 1;
    }
    return hashes;
  }

  #pieceNodes({ firstPiece, pieceCount }: Tree): Uint8Array {
    const start = firstPiece * NODE_BYTES;
    return this.#options.table!.subarray(start, start + pieceCount * NODE_BYTES);
  }
}

function isInside({ index, length, proofLayers }: HashRange, tree: Tree): boolean {
  if (index >= tree.leafCount || index + length > 2 ** tree.layers) return false;
  // The root has no sibling, so the topmost uncle lies in the layer below it.
  return proofLayers < tree.layers;
}

function raise(nodes: Uint8Array, from: number, to: number): Uint8Array {
  let raised = nodes;
  for (let layer = from; layer < to; layer += 1) raised = parentLayer(raised, layer);
  return raised;
}

function nodeAt(nodes: Uint8Array, index: number, layer: number): Uint8Array {
  const offset = index * NODE_BYTES;
  return offset < nodes.length ? nodes.subarray(offset, offset + NODE_BYTES) : padHash(layer);
}
