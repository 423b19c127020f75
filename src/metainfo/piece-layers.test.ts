import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, toHex, toLatin1 } from "../base/bytes.ts";
import { sha256 } from "../base/hash.ts";
import { isDict } from "../bencode/bencode-value.ts";
import { decode } from "../bencode/decode.ts";
import { encode, type Encodable } from "../bencode/encode.ts";
import { buildMetainfo, planTorrent } from "./create.ts";
import { rootOfPieceLayer } from "./merkle.ts";
import { parseInfo, parseMetainfo } from "./parse-metainfo.ts";
import { pieceHashesV2 } from "./piece-layers.ts";

const PIECE = 16_384;

const nodes = concatBytes(Array.from({ length: 6 }, (_, i) => sha256(new Uint8Array([i]))));

/** `a` of three pieces, `b` of one, `c` empty, `d` of two. */
const plan = planTorrent({
  name: "n",
  kind: "v2",
  pieceLength: PIECE,
  files: [
    { path: ["a"], length: 3 * PIECE },
    { path: ["b"], length: 100 },
    { path: ["c"], length: 0 },
    { path: ["d"], length: PIECE + 1 },
  ],
});
const made = buildMetainfo(plan, { v2: nodes });
const layerA = nodes.subarray(0, 96);
const layerD = nodes.subarray(128, 192);
const rootA = rootOfPieceLayer(layerA, PIECE);
const rootB = nodes.subarray(96, 128);
const rootD = rootOfPieceLayer(layerD, PIECE);

/** The torrent with other piece layers. */
function withLayers(layers: Encodable | undefined): Uint8Array {
  const torrent = decode(made.torrent);
  assert.ok(isDict(torrent));
  const changed = new Map<string, Encodable>(torrent);
  if (layers === undefined) changed.delete("piece layers");
  else changed.set("piece layers", layers);
  return encode(changed);
}

function layers(...entries: (readonly [Uint8Array, Encodable])[]): Map<string, Encodable> {
  return new Map(entries.map(([root, layer]) => [toLatin1(root), layer]));
}

test("MET-14: layers that are missing, wrong, short, long or of no file", () => {
  const wrong = layerA.slice();
  wrong[40]! ^= 1;
  for (const [given, message] of [
    [undefined, /is not there/],
    [layers(), /is not there/],
    [layers([rootA, layerA]), /is not there/],
    [layers([rootA, wrong], [rootD, layerD]), /does not hash/],
    [layers([rootA, layerA.subarray(0, 64)], [rootD, layerD]), /64 bytes, not 3 hashes/],
    [layers([rootA, layerA.subarray(0, 95)], [rootD, layerD]), /95 bytes/],
    [layers([rootA, nodes.subarray(0, 128)], [rootD, layerD]), /128 bytes/],
    [layers([rootA, layerD], [rootD, layerA]), /bytes, not 3/],
    [layers([rootA, layerA], [rootD, layerD], [rootA.map((x) => x ^ 1), layerA]), /no file/],
    [layers([rootA, layerA], [rootD, layerD], [rootA.subarray(1), layerA]), /named by 31 bytes/],
    [layers([rootA, 5], [rootD, layerD]), /no byte string/],
  ] as const) {
    assert.throws(() => parseMetainfo(withLayers(given)), { code: "bad-piece-layers", message });
  }
  assert.throws(() => parseMetainfo(withLayers(5)), { code: "bad-type" });
});

test("a layer of a file of one piece is needless, and left out with a warning", () => {
  const given = layers([rootA, layerA], [rootB, rootB], [rootD, layerD]);
  const { pieceLayers, warnings } = parseMetainfo(withLayers(given));
  assert.deepEqual([...pieceLayers.keys()].sort(), [toHex(rootA), toHex(rootD)].sort());
  assert.equal(warnings.length, 1);
});

test("the table of piece nodes, whole and with what a magnet link brought", () => {
  const { info, pieceLayers } = parseMetainfo(made.torrent);
  const whole = pieceHashesV2(info, pieceLayers)!;
  assert.ok(whole.buffer instanceof SharedArrayBuffer);
  assert.deepEqual(new Uint8Array(whole), nodes);
  const bare = pieceHashesV2(parseInfo(made.infoBytes), new Map())!;
  assert.deepEqual(
    new Uint8Array(bare),
    concatBytes([new Uint8Array(96), rootB, new Uint8Array(64)]),
  );
});

test("files with the same content share a layer", () => {
  const twin = planTorrent({
    name: "n",
    kind: "hybrid",
    pieceLength: PIECE,
    files: [
      { path: ["a"], length: 3 * PIECE },
      { path: ["b"], length: 3 * PIECE },
    ],
  });
  const v2 = concatBytes([layerA, layerA]);
  const { torrent } = buildMetainfo(twin, { v1: new Uint8Array(120), v2 });
  const { info, pieceLayers } = parseMetainfo(torrent);
  assert.equal(pieceLayers.size, 1);
  assert.deepEqual(new Uint8Array(pieceHashesV2(info, pieceLayers)!), v2);
});

test("v1 has no layers and no table", () => {
  const v1 = planTorrent({
    ...plan,
    kind: "v1",
    pieceLength: PIECE,
    files: [{ path: [], length: 5 }],
  });
  const { info, pieceLayers } = parseMetainfo(
    buildMetainfo(v1, { v1: new Uint8Array(20) }).torrent,
  );
  assert.equal(pieceLayers.size, 0);
  assert.equal(pieceHashesV2(info, pieceLayers), undefined);
});
