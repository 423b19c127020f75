import { equalBytes } from "../base/bytes.ts";
import { invariant } from "../base/errors.ts";
import { BLOCK_BYTES } from "../base/geometry.ts";
import { sha256 } from "../base/hash.ts";

/** SHA-256. */
export const NODE_BYTES = 32;

/** 2^53 bytes in blocks of 16 KiB make 39 layers above the leaves. */
const LAYERS_MAX = 40;

const padHashes: Uint8Array[] = [new Uint8Array(NODE_BYTES)];

/**
 * The node that stands for blocks past the end of a file (BEP 52): 32 zero bytes in the leaf layer, and
 * above it the hash of two pads of the layer below.
 *
 * @param layer - 0 is the leaf layer.
 * @returns A shared array: do not write to it.
 */
export function padHash(layer: number): Uint8Array {
  invariant(layer >= 0 && layer <= LAYERS_MAX, "no tree is higher");
  for (let known = padHashes.length; known <= layer; known += 1) {
    padHashes.push(hashPair(padHashes[known - 1]!, padHashes[known - 1]!));
  }
  return padHashes[layer]!;
}

/** The layer, counted from the leaves, where one node covers a whole piece. */
export function pieceLayerOf(pieceLength: number): number {
  return Math.log2(pieceLength / BLOCK_BYTES);
}

/** The smallest power of two that is at least `count`. */
export function treeWidth(count: number): number {
  let width = 1;
  while (width < count) width *= 2;
  return width;
}

/**
 * Reduces one layer of a tree to the single node above it.
 *
 * @param nodes - 32 bytes each, at least one; pads of that layer fill them up to `width`.
 * @param options.layer - The layer `nodes` lie in, 0 for leaves.
 * @param options.width - Nodes the layer has with its padding, a power of two. Default: the smallest one.
 * @returns 32 bytes.
 */
export function merkleRoot(
  nodes: Uint8Array,
  options: { readonly layer?: number; readonly width?: number } = {},
): Uint8Array {
  const count = nodes.length / NODE_BYTES;
  invariant(Number.isInteger(count) && count > 0, "a tree has whole nodes, at least one");
  let width = options.width ?? treeWidth(count);
  invariant(width >= count, "the nodes fit into the layer");
  let layer = options.layer ?? 0;
  let current = nodes;
  for (; width > 1; width /= 2) {
    current = parentLayer(current, layer);
    layer += 1;
  }
  return new Uint8Array(current.subarray(0, NODE_BYTES));
}

/**
 * Hashes pairs of one layer into the layer above.
 *
 * @param layer - The layer `nodes` lie in; an odd node is paired with a pad of it.
 */
export function parentLayer(nodes: Uint8Array, layer: number): Uint8Array {
  const count = nodes.length / NODE_BYTES;
  const parents = new Uint8Array(Math.ceil(count / 2) * NODE_BYTES);
  const pairBytes = 2 * NODE_BYTES;
  let offset = 0;
  for (; offset + pairBytes <= nodes.length; offset += pairBytes) {
    parents.set(sha256(nodes.subarray(offset, offset + pairBytes)), offset / 2);
  }
  if (offset < nodes.length) {
    parents.set(hashPair(nodes.subarray(offset), padHash(layer)), offset / 2);
  }
  return parents;
}

/**
 * The node that covers one piece, from the SHA-256 of its blocks.
 *
 * @param leaves - 32 bytes for each block of the piece that contains bytes of the file.
 * @param options.pieceLength - Bytes; a power of two of at least 16 KiB.
 * @param options.alone - True when the file has no other piece: the tree is then only as wide as needed, and the node
 *   is the file's root.
 */
export function pieceNode(
  leaves: Uint8Array,
  options: { readonly pieceLength: number; readonly alone: boolean },
): Uint8Array {
  if (options.alone) return merkleRoot(leaves);
  return merkleRoot(leaves, { width: options.pieceLength / BLOCK_BYTES });
}

/**
 * The root of a file from its whole piece layer.
 *
 * @param layer - 32 bytes for each piece of the file, at least two pieces.
 */
export function rootOfPieceLayer(layer: Uint8Array, pieceLength: number): Uint8Array {
  return merkleRoot(layer, { layer: pieceLayerOf(pieceLength) });
}

/** Hashes of one tree from a `hashes` message (BEP 52); the fields are those of the wire. */
export interface HashProof {
  /** 0 = leaves of 16 KiB blocks. */
  readonly baseLayer: number;
  /** First hash in the base layer, a multiple of `length`. */
  readonly index: number;
  /** Base hashes, a power of two, at least 2. */
  readonly length: number;
  /** Base hashes, then uncles from low to high, 32 bytes each. */
  readonly hashes: Uint8Array;
}

/**
 * Checks a `hashes` message: reduces the base hashes to one node, then that node and each uncle to the node above,
 * until it reaches a known node.
 *
 * @param known - Returns the node at an index of a layer when it is certainly known, for instance the root, or
 *   `undefined`. The layer of the root of a file with `n` blocks is log2(treeWidth(n)).
 * @returns True only when the hashes lead to a known node and hash to it. Uncles past the known node are ignored.
 */
export function verifyHashes(
  proof: HashProof,
  known: (layer: number, index: number) => Uint8Array | undefined,
): boolean {
  const { length, hashes } = proof;
  const baseBytes = length * NODE_BYTES;
  const wellFormed =
    length >= 2 &&
    Number.isInteger(Math.log2(length)) &&
    proof.index % length === 0 &&
    hashes.length >= baseBytes &&
    hashes.length % NODE_BYTES === 0;
  if (!wellFormed) return false;
  let layer = proof.baseLayer + Math.log2(length);
  let index = proof.index / length;
  if (layer > LAYERS_MAX) return false;
  let node = merkleRoot(hashes.subarray(0, baseBytes), { layer: proof.baseLayer });
  for (let offset = baseBytes; ; offset += NODE_BYTES) {
    const expected = known(layer, index);
    if (expected) return equalBytes(node, expected);
    if (offset === hashes.length || layer === LAYERS_MAX) return false;
    const uncle = hashes.subarray(offset, offset + NODE_BYTES);
    node = index % 2 === 0 ? hashPair(node, uncle) : hashPair(uncle, node);
    index = Math.floor(index / 2);
    layer += 1;
  }
}

/**
 * Builds the answer to a hash request from one whole layer.
 *
 * @param nodes - All nodes of the base layer that cover bytes of the file, 32 bytes each.
 * @param options.fileLength - Bytes; tells how high the tree is.
 * @param options.proofLayers - Requested layers above the base layer. Layers that follow from the base hashes count,
 *   but are left out of the answer.
 * @returns Base hashes, then uncles from low to high; `undefined` when the tree has no such range.
 */
export function proveHashes(
  nodes: Uint8Array,
  options: {
    readonly fileLength: number;
    readonly baseLayer: number;
    readonly index: number;
    readonly length: number;
    readonly proofLayers: number;
  },
): Uint8Array | undefined {
  const { baseLayer, index, length, proofLayers } = options;
  const treeLayers = Math.log2(treeWidth(Math.ceil(options.fileLength / BLOCK_BYTES)));
  const width = 2 ** (treeLayers - baseLayer);
  const count = nodes.length / NODE_BYTES;
  const inside = length >= 2 && index % length === 0 && index < count && index + length <= width;
  // The root has no sibling, so the topmost uncle lies in the layer below it.
  if (!inside || proofLayers >= treeLayers - baseLayer) return undefined;
  const spanLayers = Math.log2(length);
  const uncles = Math.max(0, proofLayers - (spanLayers - 1));
  const hashes = new Uint8Array((length + uncles) * NODE_BYTES);
  let current = nodes;
  for (let i = 0; i < length; i += 1)
    hashes.set(nodeAt(current, index + i, baseLayer), i * NODE_BYTES);
  let position = index;
  let offset = length * NODE_BYTES;
  for (let layer = baseLayer; offset < hashes.length; layer += 1) {
    if (layer >= baseLayer + spanLayers) {
      const sibling = position % 2 === 0 ? position + 1 : position - 1;
      hashes.set(nodeAt(current, sibling, layer), offset);
      offset += NODE_BYTES;
    }
    current = parentLayer(current, layer);
    position = Math.floor(position / 2);
  }
  return hashes;
}

function nodeAt(nodes: Uint8Array, index: number, layer: number): Uint8Array {
  const offset = index * NODE_BYTES;
  return offset < nodes.length ? nodes.subarray(offset, offset + NODE_BYTES) : padHash(layer);
}

const pair = new Uint8Array(2 * NODE_BYTES);

function hashPair(left: Uint8Array, right: Uint8Array): Uint8Array {
  pair.set(left);
  pair.set(right, NODE_BYTES);
  return sha256(pair);
}
