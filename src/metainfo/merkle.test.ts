import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { concatBytes, fromHex, toHex } from "../base/bytes.ts";
import { BLOCK_BYTES } from "../base/geometry.ts";
import { sha256 } from "../base/hash.ts";
import {
  merkleRoot,
  NODE_BYTES,
  padHash,
  parentLayer,
  pieceLayerOf,
  pieceNode,
  proveHashes,
  rootOfPieceLayer,
  treeWidth,
  verifyHashes,
} from "./merkle.ts";

interface Bep52 {
  readonly bep52: {
    readonly roots: readonly (readonly [number, number, string, readonly string[]])[];
    readonly pad: { readonly level1: string; readonly level2: string };
  };
}

const { bep52 } = JSON.parse(
  readFileSync(new URL("../../test/vectors/vectors.json", import.meta.url), "utf8"),
) as Bep52;

/** SHA-256 of each block of a file whose byte i is i mod 251. */
function leavesOf(length: number): Uint8Array {
  const content = new Uint8Array(length).map((_, index) => index % 251);
  const leaves: Uint8Array[] = [];
  for (let offset = 0; offset < length; offset += BLOCK_BYTES) {
    leaves.push(sha256(content.subarray(offset, offset + BLOCK_BYTES)));
  }
  return concatBytes(leaves);
}

/** Leaves that differ from one another; the trees above them do not depend on real content. */
function someLeaves(count: number): Uint8Array {
  return concatBytes(Array.from({ length: count }, (_, i) => sha256(new Uint8Array([i, i >> 8]))));
}

test("bep52: pad hashes", () => {
  assert.equal(toHex(padHash(0)), "00".repeat(32));
  assert.equal(toHex(padHash(1)), bep52.pad.level1);
  assert.equal(toHex(padHash(2)), bep52.pad.level2);
});

test("bep52: roots and piece layers", () => {
  for (const [length, pieceLength, root, layer] of bep52.roots) {
    const leaves = leavesOf(length);
    assert.equal(toHex(merkleRoot(leaves)), root);
    const blocks = pieceLength / BLOCK_BYTES;
    const alone = length <= pieceLength;
    const nodes: Uint8Array[] = [];
    for (let offset = 0; offset < leaves.length; offset += blocks * NODE_BYTES) {
      const own = leaves.subarray(offset, offset + blocks * NODE_BYTES);
      nodes.push(pieceNode(own, { pieceLength, alone }));
    }
    if (alone) {
      assert.deepEqual(nodes.map(toHex), [root]);
    } else {
      assert.deepEqual(nodes.map(toHex), layer);
      assert.equal(toHex(rootOfPieceLayer(concatBytes(nodes), pieceLength)), root);
    }
  }
});

test("widths and layers", () => {
  for (const [count, width] of [
    [1, 1],
    [2, 2],
    [3, 4],
    [4, 4],
    [5, 8],
    [1025, 2048],
  ] as const) {
    assert.equal(treeWidth(count), width);
  }
  assert.equal(pieceLayerOf(16_384), 0);
  assert.equal(pieceLayerOf(1_048_576), 6);
});

test("any layer of a tree leads to the same root", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 70 }), (count) => {
      const leaves = someLeaves(count);
      const root = toHex(merkleRoot(leaves));
      let nodes = leaves;
      const layers = Math.log2(treeWidth(count));
      for (let layer = 0; layer < layers; layer += 1) {
        const width = 2 ** (layers - layer);
        assert.equal(toHex(merkleRoot(nodes, { layer, width })), root);
        nodes = parentLayer(nodes, layer);
      }
      assert.equal(toHex(nodes), root);
    }),
  );
});

/** A file of `count` blocks, its leaves and its root. */
function fileOf(count: number) {
  const leaves = someLeaves(count);
  const layers = Math.log2(treeWidth(count));
  const root = merkleRoot(leaves);
  const known = (layer: number, index: number) =>
    layer === layers && index === 0 ? root : undefined;
  return { leaves, layers, known, fileLength: count * BLOCK_BYTES };
}

test("WIR-18: a proof of any range leads to the root, and one changed byte does not", () => {
  const ranges = fc.record({
    count: fc.integer({ min: 2, max: 100 }),
    log: fc.integer({ min: 1, max: 6 }),
    start: fc.nat(),
    damage: fc.nat(),
  });
  fc.assert(
    fc.property(ranges, ({ count, log, start, damage }) => {
      const { leaves, layers, known, fileLength } = fileOf(count);
      const length = 2 ** Math.min(log, layers);
      const index = (start % Math.ceil(count / length)) * length;
      const range = { baseLayer: 0, index, length };
      const hashes = proveHashes(leaves, { ...range, fileLength, proofLayers: layers - 1 });
      assert.ok(hashes);
      assert.equal(hashes.length / NODE_BYTES, length + layers - Math.log2(length));
      assert.ok(verifyHashes({ ...range, hashes }, known));
      hashes[damage % hashes.length]! ^= 1;
      assert.equal(verifyHashes({ ...range, hashes }, known), false);
    }),
    { numRuns: 200 },
  );
});

test("WIR-18: a proof may end at a known node below the root", () => {
  const { leaves, fileLength } = fileOf(16);
  const pieceLayer = parentLayer(parentLayer(leaves, 0), 1);
  const known = (layer: number, index: number) =>
    layer === 2 ? pieceLayer.subarray(index * NODE_BYTES, (index + 1) * NODE_BYTES) : undefined;
  const range = { baseLayer: 0, index: 4, length: 4 };
  const hashes = proveHashes(leaves, { ...range, fileLength, proofLayers: 0 });
  assert.ok(hashes && hashes.length === 4 * NODE_BYTES);
  assert.ok(verifyHashes({ ...range, hashes }, known));
  assert.equal(verifyHashes({ ...range, index: 8, hashes }, known), false);
});

test("WIR-18: an invalid proof is refused", () => {
  const { leaves, layers, known, fileLength } = fileOf(8);
  const range = { baseLayer: 0, index: 0, length: 4 };
  const hashes = proveHashes(leaves, { ...range, fileLength, proofLayers: layers - 1 })!;
  for (const [why, proof] of [
    ["too few hashes", { ...range, hashes: hashes.subarray(0, 3 * NODE_BYTES) }],
    ["no uncle", { ...range, hashes: hashes.subarray(0, 4 * NODE_BYTES) }],
    ["half a hash", { ...range, hashes: hashes.subarray(0, hashes.length - 1) }],
    ["length 1", { ...range, length: 1, hashes }],
    ["length 3", { ...range, length: 3, hashes }],
    ["length 0", { ...range, length: 0, hashes }],
    ["index off the grid", { ...range, index: 2, hashes }],
    ["another place", { ...range, index: 4, hashes }],
    ["another layer", { ...range, baseLayer: 1, hashes }],
    ["a layer that no tree has", { ...range, baseLayer: 63, hashes }],
  ] as const) {
    assert.equal(verifyHashes(proof, known), false, why);
  }
});

test("WIR-18: ranges outside the tree have no proof", () => {
  const { leaves, fileLength } = fileOf(5);
  const range = { baseLayer: 0, index: 0, length: 2, proofLayers: 0 };
  for (const options of [
    { ...range, index: 6 },
    { ...range, index: 8 },
    { ...range, index: 1 },
    { ...range, length: 1 },
    { ...range, length: 16 },
    { ...range, proofLayers: 3 },
  ]) {
    assert.equal(proveHashes(leaves, { ...options, fileLength }), undefined);
  }
  // Hashes past the end of the file inside a range are padding.
  const hashes = proveHashes(leaves, { ...range, index: 4, length: 4, fileLength })!;
  assert.equal(toHex(hashes.subarray(NODE_BYTES)), "00".repeat(3 * NODE_BYTES));
});

test("BEP 52: the piece layer of 40,000 bytes proves itself", () => {
  const [, , root, layer] = bep52.roots[3]!;
  const hashes = concatBytes(layer.map((node) => fromHex(node)!));
  const proof = { baseLayer: 1, index: 0, length: 2, hashes };
  assert.ok(verifyHashes(proof, (at) => (at === 2 ? fromHex(root) : undefined)));
});
