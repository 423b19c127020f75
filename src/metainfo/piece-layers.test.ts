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

test("MET-14: layers that contradict their root are refused", () => {
  const wrong = layerA.slice();
  wrong[40]! ^= 1;
  for (const [given, message] of [
    [layers([rootA, wrong], [rootD, layerD]), /does not hash/],
    [layers([rootA, layerA.subarray(0, 64)], [rootD, layerD]), /64 bytes, not 3 hashes/],
    [layers([rootA, layerA.subarray(0, 95)], [rootD, layerD]), /95 bytes/],
    [layers([rootA, nodes.subarray(0, 128)], [rootD, layerD]), /128 bytes/],
    [layers([rootA, layerD], [rootD, layerA]), /bytes, not 3/],
    [layers([rootA, 5], [rootD, layerD]), /no byte string/],
  ] as const) {
    assert.throws(() => parseMetainfo(withLayers(given)), { code: "bad-piece-layers", message });
  }
});

test("missing layers are left to peers, and layers that no file needs are left out", () => {
  const both = [
    [rootA, layerA],
    [rootD, layerD],
  ] as const;
  const strange = rootA.map((byte) => byte ^ 1);
  for (const [given, known, warnings] of [
    [undefined, [], [/^2 piece layers are not there/]],
    [layers(), [], [/^2 piece layers are not there/]],
    [5, [], [/no dictionary/, /^2 piece layers are not there/]],
    [layers(both[0]), [rootA], [/^1 piece layers are not there/]],
    [layers(both[0], [strange, layerD]), [rootA], [/^1 .*not there/, /^1 .*no file needs/]],
    [layers(...both, [rootB, rootB]), [rootA, rootD], [/^1 .*no file needs/]],
    [
      layers(...both, [strange, layerA], [strange.subarray(1), 5]),
      [rootA, rootD],
      [/^2 .*no file/],
    ],
  ] as const) {
    const read = parseMetainfo(withLayers(given));
    assert.deepEqual([...read.pieceLayers.keys()], known.map(toHex));
    assert.equal(read.warnings.length, warnings.length, read.warnings.join());
    for (const [index, warning] of warnings.entries()) assert.match(read.warnings[index]!, warning);
  }
});

test("the table of piece nodes, complete and for a magnet link", () => {
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
