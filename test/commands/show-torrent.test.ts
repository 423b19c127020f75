import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { sha1, sha256 } from "../../src/base/hash.ts";
import { toHex } from "../../src/base/bytes.ts";
import { dictOf, encode, type Encodable } from "../../src/bencode/encode.ts";
import { rootOfPieceLayer } from "../../src/metainfo/merkle.ts";
import { showTorrent } from "../../src/commands/show-torrent.ts";
import { filePorts } from "../../src/daemon/file-ports.ts";

const PIECE = 16_384;
const node = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const LAYER = new Uint8Array([...node(1), ...node(2)]);
const ROOT = rootOfPieceLayer(LAYER, PIECE);

async function show(context: TestContext, torrent: Encodable): Promise<Record<string, unknown>> {
  const folder = await mkdtemp(join(tmpdir(), "everseed-show-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "x.torrent");
  await writeFile(file, encode(torrent));
  // As a program receives it.
  return JSON.parse(JSON.stringify(await showTorrent(filePorts(), file))) as Record<
    string,
    unknown
  >;
}

test("show prints every field of the metainfo, whichever program uses it", async (context) => {
  const info = dictOf({
    name: "talks",
    "piece length": PIECE,
    pieces: new Uint8Array(60).map((_, index) => Math.floor(index / 20) + 1),
    files: [
      dictOf({
        length: 2 * PIECE,
        path: ["a?"],
        attr: "x",
        md5sum: "0123456789abcdef0123456789abcdef",
        sha1: new Uint8Array(20).fill(7),
        mtime: 12,
      }),
      dictOf({ length: 5, path: ["b"], md5sum: 3 }),
      dictOf({ length: PIECE - 5, path: [".pad", "16379"], attr: "p" }),
    ],
    "file tree": new Map<string, Encodable>([
      ["a?", dictOf({ "": dictOf({ length: 2 * PIECE, "pieces root": ROOT, tone: "loud" }) })],
      ["b", dictOf({ "": dictOf({ length: 5, "pieces root": node(9) }) })],
    ]),
    "meta version": 2,
    private: 1,
    source: "TAG",
    similar: [new Uint8Array(20).fill(2)],
    collections: ["more talks"],
    "ssl-cert": "-----BEGIN CERTIFICATE-----",
    "update-url": "http://example.net/feed",
    __proto__x: 1,
  });
  const infoBytes = encode(info);
  const shown = await show(
    context,
    dictOf({
      announce: "http://tracker.example/announce",
      "announce-list": [["http://tracker.example/announce"], ["udp://other.example:80"]],
      comment: "words",
      "created by": "somebody",
      "creation date": 1_700_000_000,
      encoding: "UTF-8",
      publisher: "Uni",
      httpseeds: ["http://seed.example/"],
      "url-list": ["http://web.example/"],
      nodes: [["10.0.0.1", 6881]],
      similar: [new Uint8Array(20).fill(1)],
      collections: ["talks"],
      "piece layers": new Map([[Buffer.from(ROOT).toString("latin1"), LAYER]]),
      signatures: dictOf({ me: dictOf({ signature: new Uint8Array([0xff, 0]) }) }),
      large: 2n ** 63n,
      ["\u00ff"]: ["x", 1],
      info,
    }),
  );
  const { magnet, ...rest } = shown;
  assert.match(String(magnet), /^magnet:/);
  const pad = `talks/.pad/${PIECE - 5}`;
  const plain = {
    pathAsWritten: null,
    pad: false,
    executable: false,
    hidden: false,
    linkTarget: null,
    md5sum: null,
    sha1: null,
    other: {},
  };
  assert.deepEqual(rest, {
    type: "torrent",
    name: "talks",
    kind: "hybrid",
    infohashV1: toHex(sha1(infoBytes)),
    infohashV2: toHex(sha256(infoBytes)),
    pieceSize: PIECE,
    pieces: 3,
    bytes: 2 * PIECE + 5,
    private: true,
    folder: true,
    source: "TAG",
    comment: "words",
    createdBy: "somebody",
    creationDate: "2023-11-14T22:13:20.000Z",
    encoding: "UTF-8",
    publisher: "Uni",
    metaVersion: 2,
    announce: "http://tracker.example/announce",
    trackers: [["http://tracker.example/announce"], ["udp://other.example:80"]],
    webSeeds: ["http://web.example/"],
    httpSeeds: ["http://seed.example/"],
    nodes: ["10.0.0.1:6881"],
    similar: ["01".repeat(20), "02".repeat(20)],
    collections: ["talks", "more talks"],
    sslCert: "-----BEGIN CERTIFICATE-----",
    paths: ["talks/a_", "talks/b"],
    files: [
      {
        ...plain,
        path: "talks/a_",
        pathAsWritten: "talks/a?",
        length: 2 * PIECE,
        offset: 0,
        executable: true,
        piecesRoot: toHex(ROOT),
        md5sum: "0123456789abcdef0123456789abcdef",
        sha1: "07".repeat(20),
        other: { mtime: 12, tone: "loud" },
      },
      {
        ...plain,
        path: "talks/b",
        length: 5,
        offset: 2 * PIECE,
        piecesRoot: toHex(node(9)),
        other: { md5sum: 3 },
      },
      {
        ...plain,
        path: pad,
        length: PIECE - 5,
        offset: 2 * PIECE + 5,
        pad: true,
        piecesRoot: null,
      },
    ],
    pieceHashes: ["01".repeat(20), "02".repeat(20), "03".repeat(20)],
    pieceLayers: { [toHex(ROOT)]: [toHex(node(1)), toHex(node(2))] },
    other: {
      "hex:ff": ["x", 1],
      large: "9223372036854775808",
      signatures: { me: { signature: { hex: "ff00" } } },
      info: { __proto__x: 1, "update-url": "http://example.net/feed" },
    },
    warnings: [],
  });
});

test("show prints the checksums of the one file of a v1 torrent, and null where there are none", async (context) => {
  const shown = await show(
    context,
    dictOf({
      info: dictOf({
        name: "a",
        length: 5,
        "piece length": PIECE,
        pieces: new Uint8Array(20),
        md5sum: "ab",
      }),
    }),
  );
  const [file] = shown["files"] as Record<string, unknown>[];
  assert.equal(file?.["md5sum"], "ab");
  for (const key of [
    "announce",
    "encoding",
    "publisher",
    "metaVersion",
    "sslCert",
    "pieceLayers",
  ]) {
    assert.equal(shown[key], null, key);
  }
  assert.deepEqual([shown["httpSeeds"], shown["similar"], shown["other"]], [[], [], {}]);
});

test("show prints the nodes and no SHA-1 hashes of a v2 torrent", async (context) => {
  const file = (name: string, fields: Readonly<Record<string, Encodable>>) =>
    [name, dictOf({ "": dictOf(fields) })] as const;
  const tree = new Map<string, Encodable>([
    file("a", { length: 5, "pieces root": node(3) }),
    ["b", new Map([file("c", { length: 0, md5sum: "cd" }), file("d", { length: 0 })])],
    file("e", { length: 2 * PIECE, "pieces root": ROOT, md5sum: "ef" }),
  ]);
  const shown = await show(
    context,
    dictOf({
      info: dictOf({ name: "n", "piece length": PIECE, "meta version": 2, "file tree": tree }),
      "piece layers": new Map([[Buffer.from(ROOT).toString("latin1"), LAYER]]),
    }),
  );
  assert.equal(shown["pieceHashes"], null);
  assert.deepEqual(
    (shown["files"] as Record<string, unknown>[]).map(({ path, md5sum }) => [path, md5sum]),
    [
      ["n/a", null],
      ["n/b/c", "cd"],
      ["n/b/d", null],
      ["n/e", "ef"],
    ],
  );
});
