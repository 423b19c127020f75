import { BLOCK_BYTES } from "../../base/geometry.ts";
import type { Work } from "../../base/work.ts";
import {
  NODE_BYTES,
  pieceLayerOf,
  proveHashes,
  treeWidth,
  verifyHashes,
} from "../../metainfo/merkle.ts";
import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import { pieceHashesV2InSteps } from "../../metainfo/piece-layers.ts";
import { ROOT_SEED_BYTES, RootTable } from "../../metainfo/root-table.ts";
import type { Random } from "../../ports/random.ts";
import {
  BASE_HASHES_MAX,
  encodeHashReject,
  encodeHashRequest,
  encodeHashes,
} from "../../wire/hash-transfer.ts";
import type { HashRange } from "../../wire/wire-sink.ts";
import type { Connection } from "../connection/connection.ts";

/** An unanswered hash request goes to another peer after this time. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Hash requests open at one peer at a time. */
const REQUESTS_PER_PEER_MAX = 4;
/** A peer that rejects, or does not answer, is asked again after this time; others are asked at once. */
const REFUSAL_MS = 20_000;

/** Files processed before other work gets a turn. */
const FILES_PER_STEP = 256;

/** The layer of a file's tree that covers its pieces, some of whose hashes are missing. */
interface PieceLayer {
  /** The index of the first file of the torrent with this root. */
  readonly key: number;
  readonly root: Uint8Array;
  readonly fileLength: number;
  /** One for each file with this content. */
  readonly firstPieces: number[];
  readonly pieceCount: number;
  /** Layers of the whole tree above its leaves. */
  readonly treeLayers: number;
  /** Hashes per request, a power of two. */
  readonly chunk: number;
  readonly missing: Set<number>;
  readonly requested: Map<number, { readonly peer: Connection; readonly atMs: number }>;
}

/** Pieces from `first` to before `end`. */
export interface PieceRun {
  readonly first: number;
  readonly end: number;
}

export interface HashExchangeOptions {
  readonly info: TorrentInfo;
  /** Layers that came with the .torrent, by root in hexadecimal. */
  readonly layers: ReadonlyMap<string, Uint8Array>;
  readonly nowMs: () => number;
  readonly random: Pick<Random, "bytes">;
}

/** The parts of a torrent that are read before hashes are exchanged. */
interface Trees {
  /** 32 bytes a piece in shared memory, zeros where unknown; `undefined` for v1. */
  readonly table: Uint8Array | undefined;
  /** The files that have a tree, by its root; `undefined` for v1. */
  readonly roots: RootTable | undefined;
  /** Layers with missing hashes, by their keys. */
  readonly incomplete: Map<number, PieceLayer>;
}

/** The result of hashes from a peer. */
export type HashNews =
  /** They are not the ones we requested. */
  | { readonly kind: "nothing" }
  /** These pieces can be judged now. We may send the peer another request. */
  | { readonly kind: "known"; readonly runs: readonly PieceRun[] }
  /** They do not lead to the root. */
  | { readonly kind: "lie" };

const NOTHING: HashNews = { kind: "nothing" };

/**
 * The piece layers of a v2 or hybrid torrent (BEP 52): keeps the table of expected piece hashes, fetches what a magnet
 * link did not bring, and answers peers that lack it. A hash enters the table only if it leads to the root of its file
 * (WIR-18).
 */
export class HashExchange {
  /** 32 bytes a piece in shared memory, zeros where unknown; `undefined` for v1. */
  readonly table: Uint8Array | undefined;
  /** The files that have a tree, by its root; `undefined` for v1. */
  readonly roots: RootTable | undefined;
  readonly #options: HashExchangeOptions;
  readonly #incomplete: Map<number, PieceLayer>;
  readonly #layerIndex: number;
  /** Ranges that each peer is asked for now. */
  readonly #askedOf = new Map<Connection, number>();
  /** Peers that must not be asked before this time. */
  readonly #refusedUntilMs = new Map<Connection, number>();

  private constructor(options: HashExchangeOptions, { table, roots, incomplete }: Trees) {
    this.#options = options;
    this.table = table;
    this.roots = roots;
    this.#incomplete = incomplete;
    this.#layerIndex = table ? pieceLayerOf(options.info.geometry.pieceLength) : 0;
  }

  /** Reads the known hashes, in steps: a torrent may have 200,000 files. */
  static *inSteps(options: HashExchangeOptions): Work<HashExchange> {
    return new HashExchange(options, yield* readTrees(options));
  }

  /** Every layer is known. */
  get complete(): boolean {
    return this.#incomplete.size === 0;
  }

  /** True when the piece can be judged: it has a v1 hash, or its v2 hash is known. */
  known(piece: number): boolean {
    if (!this.table || this.#options.info.pieceHashes || this.complete) return true;
    return hasNode(this.table, piece);
  }

  /** True when the piece is judged by both its v1 and its v2 hash. */
  isTwofold(piece: number): boolean {
    if (!this.table || !this.#options.info.pieceHashes) return false;
    return hasNode(this.table, piece);
  }

  /** Requests hashes that we lack from a peer. */
  requestFrom(peer: Connection): void {
    if (this.complete || !peer.isOpen || !this.#speaksV2(peer)) return;
    const now = this.#options.nowMs();
    if (now < (this.#refusedUntilMs.get(peer) ?? 0)) return;
    let free = REQUESTS_PER_PEER_MAX - (this.#askedOf.get(peer) ?? 0);
    for (const layer of this.#incomplete.values()) {
      for (const index of layer.missing) {
        if (free <= 0) return;
        const request = layer.requested.get(index);
        if (request && now - request.atMs < REQUEST_TIMEOUT_MS) continue;
        if (request?.peer === peer) {
          // This peer's time is up. The next one is asked now.
          this.#endRequest(layer, index);
          this.#refusedUntilMs.set(peer, now + REFUSAL_MS);
          return;
        }
        this.#endRequest(layer, index);
        layer.requested.set(index, { peer, atMs: now });
        this.#askedOf.set(peer, (this.#askedOf.get(peer) ?? 0) + 1);
        peer.out.frame(encodeHashRequest(this.#range(layer, index)));
        free -= 1;
      }
    }
  }

  tick(peers: Iterable<Connection>): void {
    if (this.complete) return;
    for (const peer of peers) this.requestFrom(peer);
  }

  gone(peer: Connection): void {
    this.#refusedUntilMs.delete(peer);
    if (this.#askedOf.has(peer)) {
      for (const layer of this.#incomplete.values()) {
        for (const [index, request] of layer.requested) {
          if (request.peer === peer) layer.requested.delete(index);
        }
      }
    }
    this.#askedOf.delete(peer);
  }

  handleHashes(peer: Connection, range: HashRange, hashes: Uint8Array): HashNews {
    const layer = this.#incompleteOf(range);
    // Accept only what we requested, and only from the peer we asked.
    if (!layer || layer.requested.get(range.index)?.peer !== peer) return NOTHING;
    const { baseLayer, index, length } = range;
    if (baseLayer !== this.#layerIndex || length !== layer.chunk) return NOTHING;
    this.#endRequest(layer, index);
    const proven = verifyHashes({ baseLayer, index, length, hashes }, (at, position) =>
      at === layer.treeLayers && position === 0 ? layer.root : undefined,
    );
    if (!proven) return { kind: "lie" };
    const count = Math.min(length, layer.pieceCount - index);
    const runs = layer.firstPieces.map((start) => {
      const first = start + index;
      this.table!.set(hashes.subarray(0, count * NODE_BYTES), first * NODE_BYTES);
      return { first, end: first + count };
    });
    layer.missing.delete(index);
    if (layer.missing.size === 0) this.#incomplete.delete(layer.key);
    return { kind: "known", runs };
  }

  /** The peer cannot serve the range: another peer is asked at the next tick. */
  handleReject(peer: Connection, range: HashRange): void {
    const layer = this.#incompleteOf(range);
    if (!layer || layer.requested.get(range.index)?.peer !== peer) return;
    this.#endRequest(layer, range.index);
    this.#refusedUntilMs.set(peer, this.#options.nowMs() + REFUSAL_MS);
  }

  /** @returns The frame that answers a peer's request: hashes, or a reject. */
  answer(range: HashRange): Uint8Array {
    const hashes = range.baseLayer === this.#layerIndex ? this.#prove(range) : undefined;
    return hashes ? encodeHashes(range, hashes) : encodeHashReject(range);
  }

  /** @returns `undefined` when the layer is unknown, or has no such range. */
  #prove(range: HashRange): Uint8Array | undefined {
    const index = this.roots?.find(range.piecesRoot);
    if (index === undefined || this.#incomplete.has(index)) return undefined;
    const { files, geometry } = this.#options.info;
    const fileLength = files[index]!.length;
    // A file of one piece has no such layer: its root is the hash of the piece.
    if (fileLength <= geometry.pieceLength) return undefined;
    const { first, end } = geometry.filePieces(index);
    const nodes = this.table!.subarray(first * NODE_BYTES, end * NODE_BYTES);
    return proveHashes(nodes, { ...range, fileLength });
  }

  #incompleteOf({ piecesRoot }: HashRange): PieceLayer | undefined {
    if (this.complete) return undefined;
    const index = this.roots?.find(piecesRoot);
    return index === undefined ? undefined : this.#incomplete.get(index);
  }

  /** No peer is asked for the range any more. */
  #endRequest(layer: PieceLayer, index: number): void {
    const request = layer.requested.get(index);
    if (!request) return;
    layer.requested.delete(index);
    const left = this.#askedOf.get(request.peer)! - 1;
    if (left > 0) this.#askedOf.set(request.peer, left);
    else this.#askedOf.delete(request.peer);
  }

  #speaksV2(peer: Connection): boolean {
    return peer.flags?.v2 === true || this.#options.info.kind === "v2";
  }

  #range(layer: PieceLayer, index: number): HashRange {
    return {
      piecesRoot: layer.root,
      baseLayer: this.#layerIndex,
      index,
      length: layer.chunk,
      // Up to the layer below the root; the root has no sibling.
      proofLayers: layer.treeLayers - this.#layerIndex - 1,
    };
  }
}

function* readTrees({ info, layers, random }: HashExchangeOptions): Work<Trees> {
  const table = yield* pieceHashesV2InSteps(info, layers);
  if (!table) return { table, roots: undefined, incomplete: new Map() };
  const roots = yield* RootTable.inSteps(info.files, random.bytes(ROOT_SEED_BYTES));
  return { table, roots, incomplete: yield* incompleteLayers(info, table, roots) };
}

/**
 * Lists the layers with missing hashes.
 *
 * Files with the same content share one layer. Two files of different lengths cannot have the same root: when a torrent
 * claims that, we request the hashes of the first file, and the pieces of the other file stay unknown.
 */
function* incompleteLayers(
  info: TorrentInfo,
  table: Uint8Array,
  roots: RootTable,
): Work<Map<number, PieceLayer>> {
  const { geometry, files } = info;
  const layerIndex = pieceLayerOf(geometry.pieceLength);
  const incomplete = new Map<number, PieceLayer>();
  for (const [index, { piecesRoot, length }] of files.entries()) {
    if (index % FILES_PER_STEP === FILES_PER_STEP - 1) yield;
    if (!piecesRoot || length <= geometry.pieceLength) continue;
    const { first, end } = geometry.filePieces(index);
    // The .torrent file has a layer completely or not at all.
    if (hasNode(table, first)) continue;
    const key = roots.find(piecesRoot)!;
    const twin = incomplete.get(key);
    if (twin) {
      if (twin.fileLength === length) twin.firstPieces.push(first);
      continue;
    }
    const treeLayers = Math.log2(treeWidth(Math.ceil(length / BLOCK_BYTES)));
    const chunk = Math.min(BASE_HASHES_MAX, 2 ** (treeLayers - layerIndex));
    const missing = new Set<number>();
    for (let at = 0; at < end - first; at += chunk) missing.add(at);
    incomplete.set(key, {
      key,
      root: piecesRoot,
      fileLength: length,
      firstPieces: [first],
      pieceCount: end - first,
      treeLayers,
      chunk,
      missing,
      requested: new Map(),
    });
  }
  return incomplete;
}

function hasNode(table: Uint8Array, piece: number): boolean {
  const offset = piece * NODE_BYTES;
  // A SHA-256 of all zeros does not occur in practice.
  for (let at = offset; at < offset + NODE_BYTES; at += 1) if (table[at] !== 0) return true;
  return false;
}

/** @returns The message for a piece that matches only one of its two hashes. @param fault - The wrong one. */
export function contradictionOf(piece: number, fault: "v1" | "v2"): string {
  const right = fault === "v1" ? "v2" : "v1";
  return (
    `the two descriptions in this hybrid torrent contradict each other: piece ${piece} is right by its ` +
    `${right} hash and wrong by its ${fault} hash, whoever sends it`
  );
}
