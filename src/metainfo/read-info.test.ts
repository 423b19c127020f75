import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, encodeUtf8, fromLatin1, toHex, toLatin1 } from "../base/bytes.ts";
import { sha1, sha256 } from "../base/hash.ts";
import { dictOf, encode, type Encodable } from "../bencode/encode.ts";
import { MetainfoError, type MetainfoErrorCode } from "./metainfo-error.ts";
import type { TorrentInfo } from "./metainfo.ts";
import { parseInfo } from "./parse-metainfo.ts";
import { PIECE_LENGTH_MAX, PIECES_MAX } from "./read-info.ts";

type Fields = Record<string, Encodable | undefined>;

const PIECE = 16_384;
const ROOT = new Uint8Array(32).fill(7);

function hashes(count: number): Uint8Array {
  return new Uint8Array(20 * count).fill(1);
}

/** A valid v1 info dictionary, until `fields` changes it. */
function v1(fields: Fields): Uint8Array {
  return encode(
    dictOf({ name: "n", length: 40_000, "piece length": PIECE, pieces: hashes(3), ...fields }),
  );
}

function v1Folder(files: readonly Fields[], fields: Fields = {}): Uint8Array {
  let total = 0;
  for (const { length } of files) total += Number(length ?? 0);
  // Only when the case does not set them: some totals are absurd.
  const pieces = fields["pieces"] ?? hashes(Math.ceil(total / PIECE));
  return v1({ length: undefined, files: files.map(dictOf), ...fields, pieces });
}

function leaf(length: Encodable, fields: Fields = { "pieces root": ROOT }): Map<string, Encodable> {
  return new Map([["", dictOf({ length, ...fields })]]);
}

function v2(tree: Fields, fields: Fields = {}): Uint8Array {
  const plain = { "meta version": 2, name: "n", "piece length": PIECE };
  return encode(dictOf({ "file tree": dictOf(tree), ...plain, ...fields }));
}

/** `a` of 20,000 bytes, padding, `b` of 5 bytes. */
function hybrid(changes: { files?: Fields[]; tree?: Fields; fields?: Fields } = {}): Uint8Array {
  const files = changes.files ?? [
    { length: 20_000, path: ["a"] },
    { length: 12_768, path: [".pad", "12768"], attr: "p" },
    { length: 5, path: ["b"] },
  ];
  const tree = changes.tree ?? { a: leaf(20_000), b: leaf(5) };
  return v2(tree, { files: files.map(dictOf), pieces: hashes(3), ...changes.fields });
}

function refusal(infoBytes: Uint8Array): MetainfoError {
  try {
    parseInfo(infoBytes);
  } catch (error) {
    assert.ok(error instanceof MetainfoError, String(error));
    return error;
  }
  return assert.fail(`accepted ${toLatin1(infoBytes).slice(0, 200)}`);
}

function refuses(cases: readonly (readonly [Uint8Array, MetainfoErrorCode, RegExp?])[]): void {
  for (const [bytes, code, message] of cases) {
    const error = refusal(bytes);
    assert.equal(error.code, code, `${error.message} for ${toLatin1(bytes).slice(0, 200)}`);
    if (message) assert.match(error.detail, message);
  }
}

function paths(info: TorrentInfo): string[] {
  return info.files.map((file) => file.path.join("/"));
}

test("MET-7: piece lengths that divide by zero, wrap, or exceed memory", () => {
  const bad = [
    0,
    -1,
    -16_384,
    PIECE_LENGTH_MAX + 1,
    2 ** 31,
    2 ** 32,
    2 ** 32 + 32_768,
    2 ** 53 - 1,
  ];
  refuses(bad.map((length) => [v1({ "piece length": length }), "bad-piece-length"]));
  refuses([[v1({ "piece length": 2n ** 63n }), "bad-value"]]);
  for (const length of [0, 1, 8192, 16_383, 16_385, 49_152, 2 ** 29]) {
    refuses([
      [v2({ n: leaf(5) }, { "piece length": length }), "bad-piece-length"],
      [hybrid({ fields: { "piece length": length } }), "bad-piece-length"],
    ]);
  }
});

test("MET-7: odd piece lengths of old torrents are taken in v1", () => {
  const info = parseInfo(v1({ "piece length": 10_000, pieces: hashes(4) }));
  assert.equal(info.geometry.pieceCount, 4);
  assert.equal(
    parseInfo(v1({ length: 2, "piece length": 1, pieces: hashes(2) })).geometry.pieceCount,
    2,
  );
});

test("MET-8: a table of hashes that is too short, too long or cut", () => {
  refuses([
    [v1({ pieces: hashes(2) }), "bad-pieces", /40 bytes.*3 hashes.*60 bytes/],
    [v1({ pieces: hashes(4) }), "bad-pieces", /80 bytes.*60 bytes/],
    [v1({ pieces: new Uint8Array(59) }), "bad-pieces", /59 bytes.*60 bytes/],
    [v1({ pieces: new Uint8Array(0) }), "bad-pieces"],
    [v1Folder([{ length: 1, path: ["a"] }], { pieces: hashes(2) }), "bad-pieces"],
  ]);
});

test("MET-9: lengths that are negative, huge, or hide one another", () => {
  refuses([
    [v1({ length: -1 }), "bad-file-length"],
    [v1({ length: 2n ** 53n }), "bad-file-length"],
    [v1({ length: 2n ** 63n }), "bad-file-length"],
    [v1({ length: -(2n ** 63n) }), "bad-file-length"],
    [
      v1Folder([
        { length: 50_000, path: ["a"] },
        { length: -10_000, path: ["b"] },
      ]),
      "bad-file-length",
      /info\.files\[1\]\.length/,
    ],
    [
      v1Folder(
        [
          { length: 2 ** 53 - 1, path: ["a"] },
          { length: 1, path: ["b"] },
        ],
        { pieces: hashes(1) },
      ),
      "bad-file-length",
      /together/,
    ],
    [v2({ a: leaf(-5) }), "bad-file-length"],
    [v2({ a: leaf(2 ** 53 - 1), b: leaf(5) }), "bad-file-length", /together/],
  ]);
});

test("MET-9, house rule 3: declared lengths allocate no tables: too many pieces are refused", () => {
  refuses([
    [v2({ a: leaf(PIECE * (PIECES_MAX + 1)) }), "too-large", /pieces/],
    [v2({ a: leaf(2 ** 50) }), "too-large", /pieces/],
  ]);
});

test("MET-10: a file and a folder at once", () => {
  refuses([[v1({ files: [dictOf({ length: 1, path: ["a"] })] }), "bad-value", /both/]]);
});

test("MET-11: wrong types and missing keys are named", () => {
  const good = { length: 5, path: ["a"] };
  const file = (fields: Fields) => v1Folder([{ ...good, ...fields }], { pieces: hashes(1) });
  const entry = (fields: Fields) => v2({ a: leaf(5, { "pieces root": ROOT, ...fields }) });
  refuses([
    [fromLatin1("le"), "bad-type", /"info" must be a dictionary/],
    [fromLatin1("i1e"), "bad-type"],
    [v1({ name: 5 }), "bad-type", /info\.name/],
    [v1({ name: ["n"] }), "bad-type", /info\.name/],
    [v1({ name: undefined }), "missing-key", /info\.name/],
    [v1({ length: "5" }), "bad-type", /info\.length/],
    [v1({ length: undefined }), "missing-key", /info\.length/],
    [v1({ "piece length": "5" }), "bad-type", /info\.piece length/],
    [v1({ "piece length": undefined }), "missing-key"],
    [v1({ pieces: 5 }), "bad-type", /info\.pieces/],
    [v1({ pieces: [hashes(3)] }), "bad-type", /info\.pieces/],
    [v1({ pieces: undefined }), "missing-key"],
    [v1({ length: undefined, files: 5 }), "bad-type", /info\.files/],
    [v1({ length: undefined, files: dictOf({}) }), "bad-type", /info\.files/],
    [v1({ length: undefined, files: [] }), "bad-value", /info\.files/],
    [v1({ length: undefined, files: ["a"] }), "bad-type", /info\.files\[0\]/],
    [file({ path: "a" }), "bad-type", /info\.files\[0\]\.path/],
    [file({ path: [] }), "bad-value", /info\.files\[0\]\.path/],
    [file({ path: ["a", 5] }), "bad-type", /info\.files\[0\]\.path/],
    [file({ path: undefined }), "missing-key", /info\.files\[0\]\.path/],
    [file({ length: "5" }), "bad-type", /info\.files\[0\]\.length/],
    [file({ length: undefined }), "missing-key"],
    [file({ path: Array.from({ length: 101 }, () => "d") }), "too-large"],
    // Read as v1, which has none of its fields.
    [v2({}, { "meta version": "2" }), "missing-key", /info\.length/],
    [v2({}, { "meta version": 0 }), "missing-key", /info\.length/],
    [v2({}, { "file tree": 5 }), "bad-type", /file tree/],
    [v2({}, { "file tree": undefined }), "missing-key", /file tree/],
    [entry({ length: "5" }), "bad-type", /info\.file tree\/a\.length/],
    [entry({ length: undefined }), "missing-key", /info\.file tree\/a\.length/],
    [entry({ "pieces root": 5 }), "bad-type", /pieces root/],
  ]);
});

test("an unknown newer version says so", () => {
  refuses([[v2({ a: leaf(5) }, { "meta version": 3 }), "too-new", /3/]]);
});

test("MET-14: invalid trees", () => {
  const both = new Map([...leaf(5), ["x", leaf(5)]]);
  let deep: Encodable = leaf(5);
  for (let level = 0; level < 200; level += 1) deep = dictOf({ d: deep });
  refuses([
    [v2({}), "bad-file-tree", /no file/],
    [v2({ d: dictOf({}) }), "bad-file-tree", /no file/],
    [v2({ "": dictOf({ length: 5, "pieces root": ROOT }) }), "bad-file-tree", /itself/],
    [v2({ a: both }), "bad-file-tree", /a file and a folder/],
    [v2({ a: 5 }), "bad-file-tree", /neither/],
    [v2({ a: new Map([["", 5]]) }), "bad-type", /file tree\/a/],
    [v2({ a: leaf(5, {}) }), "missing-key", /pieces root/],
    [
      v2({ a: leaf(5, { "pieces root": new Uint8Array(31).fill(1) }) }),
      "bad-file-tree",
      /31 bytes/,
    ],
    [v2({ a: leaf(5, { "pieces root": new Uint8Array(33).fill(1) }) }), "bad-file-tree", /33/],
    [v2({ a: leaf(5, { "pieces root": new Uint8Array(32) }) }), "bad-file-tree", /zeros/],
    [v2({ d: deep }), "bad-bencode", /too-deep/],
  ]);
});

test("MET-14: a tree whose keys are not sorted has no order of pieces", () => {
  const sorted = toLatin1(v2({ a: leaf(5), b: leaf(5) }));
  const unsorted = sorted.replace(/1:a(.*)1:b/s, "1:b$11:a");
  assert.notEqual(unsorted, sorted);
  refuses([[fromLatin1(unsorted), "bad-file-tree", /order/]]);
});

test("MET-15: the two halves of a hybrid must describe the same files", () => {
  const pad = { length: 12_768, path: [".pad", "12768"], attr: "p" };
  const a = { length: 20_000, path: ["a"] };
  const b = { length: 5, path: ["b"] };
  const cases: readonly Parameters<typeof hybrid>[0][] = [
    { files: [a, pad, { ...b, path: ["c"] }] },
    { files: [a, pad, { ...b, path: ["d", "b"] }] },
    { files: [a, pad, { ...b, length: 6 }] },
    { files: [b, { ...pad, length: 16_379 }, a] },
    { files: [a, pad] },
    { files: [a, pad, b, { length: 0, path: ["z"] }] },
    { tree: { a: leaf(20_000) } },
    { tree: { a: leaf(20_000), b: leaf(5), c: leaf(0) } },
    { tree: { a: leaf(20_000), b: leaf(6) } },
    { tree: { a: leaf(20_000), B: leaf(5) } },
    // No padding, too little and too much.
    { files: [a, b], fields: { pieces: hashes(2) } },
    { files: [a, { ...pad, length: 12_767 }, b] },
    { files: [a, { ...pad, length: 12_768 + PIECE }, b], fields: { pieces: hashes(4) } },
    { files: [a, pad, b, { ...pad, length: PIECE }], fields: { pieces: hashes(4) } },
    { fields: { files: undefined, length: 20_005, pieces: hashes(2) } },
  ];
  refuses(
    cases.map((changes) => [hybrid(changes), "versions-differ", /v1 and v2 descriptions differ/]),
  );
});

test("MET-15: a hybrid with or without padding at its end is taken", () => {
  const tail = { length: 16_379, path: [".pad", "16379"], attr: "p" };
  const without = parseInfo(hybrid());
  assert.equal(without.kind, "hybrid");
  assert.deepEqual(paths(without), ["n/a", "n/.pad/12768", "n/b"]);
  const files = [
    { length: 20_000, path: ["a"] },
    { length: 12_768, path: ["../x"], attr: "p" },
    { length: 5, path: ["b"] },
    tail,
  ];
  const padded = parseInfo(hybrid({ files }));
  assert.equal(padded.geometry.pieceCount, without.geometry.pieceCount);
  assert.deepEqual(
    padded.files.map((file) => file.piecesRoot),
    [ROOT, undefined, ROOT, undefined],
  );
  assert.ok(padded.infohashes.v1 && padded.infohashes.v2);
});

test("MET-13: padding is virtual: its path is ignored, its bytes count", () => {
  const tebibyte = 2 ** 40;
  const pieceLength = PIECE_LENGTH_MAX;
  const info = parseInfo(
    v1Folder(
      [
        { length: 5, path: ["a"] },
        { length: tebibyte, attr: "p", path: ["..", "..", "etc", "passwd"] },
        { length: 5, attr: "p" },
        { length: 7, path: ["b"] },
      ],
      { "piece length": pieceLength, pieces: hashes(tebibyte / pieceLength + 1) },
    ),
  );
  assert.deepEqual(paths(info), ["n/a", `n/.pad/${tebibyte}`, "n/.pad/5", "n/b"]);
  assert.deepEqual(
    info.files.map((file) => file.pad),
    [false, true, true, false],
  );
  assert.equal(info.geometry.dataLength, 12);
  assert.equal(info.geometry.spaceLength, tebibyte + 17);
});

test("MET-1: hostile paths of every form stay below the folder", () => {
  const info = parseInfo(
    v1Folder(
      [
        { length: 1, path: ["..", "..", "x"] },
        { length: 1, path: ["/etc/passwd"] },
        { length: 1, path: ["ok"], "path.utf-8": ["..", "y"] },
        { length: 1, path: ["C:\\z"] },
        { length: 1, path: [""] },
      ],
      { name: "../../up" },
    ),
  );
  assert.equal(info.name, ".._.._up");
  assert.deepEqual(paths(info), [
    ".._.._up/._/._/x",
    ".._.._up/_etc_passwd",
    ".._.._up/._/y",
    ".._.._up/C__z",
    ".._.._up/_",
  ]);
  const tree = v2({ "..": dictOf({ "/x": leaf(5) }), "a/b": leaf(5) }, { name: "/" });
  assert.deepEqual(paths(parseInfo(tree)), ["_/._/_x", "_/a_b"]);
  assert.deepEqual(paths(parseInfo(v1({ name: ".." }))), ["._"]);
});

test("a torrent without a name is called by its infohash", () => {
  const bytes = v1({ name: "" });
  assert.equal(parseInfo(bytes).name, toHex(sha1(bytes)));
});

test("MET-2: links stay inside, lead somewhere, and nothing lies below them", () => {
  const link = (path: string[], target: string[]) => ({
    attr: "l",
    path,
    "symlink path": target,
  });
  const info = parseInfo(
    v1Folder([
      { length: 5, path: ["d", "real"] },
      link(["good"], ["d", "real"]),
      link(["folder"], ["d"]),
      link(["twice"], ["good"]),
      link(["up"], [".."]),
      link(["out"], ["..", "..", "etc"]),
      link(["root"], ["/etc/passwd"]),
      link(["nowhere"], ["missing"]),
      link(["self"], ["self"]),
      link(["x"], ["y"]),
      link(["y"], ["x"]),
      link(["d", "around"], ["d"]),
      { length: 5, path: ["up", "x"] },
    ]),
  );
  const links = new Map(
    info.files.map((file) => [file.path.join("/"), file.linkTarget?.join("/")]),
  );
  assert.deepEqual(
    [...links],
    [
      ["n/d/real", undefined],
      ["n/good", "n/d/real"],
      ["n/folder", "n/d"],
      ["n/twice", "n/good"],
      ["n/up", undefined],
      ["n/out", undefined],
      ["n/root", undefined],
      ["n/nowhere", undefined],
      ["n/self", undefined],
      ["n/x", undefined],
      ["n/y", undefined],
      ["n/d/around", undefined],
      ["n/up (2)/x", undefined],
    ],
  );
  refuses([
    [v1Folder([{ attr: "l", path: ["a"], length: 5 }]), "bad-file-length", /link of 5 bytes/],
    [v2({ a: leaf(5, { attr: "l", "pieces root": ROOT }) }), "bad-file-tree", /link of 5 bytes/],
  ]);
});

test("MET-2: links of a v2 tree", () => {
  const info = parseInfo(
    v2({ a: leaf(5), l: leaf(0, { attr: "l", "symlink path": ["a"] }), m: leaf(0, {}) }),
  );
  assert.deepEqual(
    info.files.map((file) => file.linkTarget?.join("/")),
    [undefined, "n/a", undefined],
  );
});

test("MET-19: anything but a plain no means private", () => {
  for (const value of [1, 2, -1, "1", "0", "no", [], [0], dictOf({}), 2n ** 63n]) {
    assert.equal(parseInfo(v1({ private: value })).private, true);
    assert.equal(parseInfo(v2({ a: leaf(5) }, { private: value })).private, true);
  }
  for (const value of [undefined, 0, ""]) {
    assert.equal(parseInfo(v1({ private: value })).private, false);
  }
});

test("BEN-8: an unsorted info dictionary is hashed byte for byte", () => {
  const bytes = fromLatin1(
    "d4:name1:n6:lengthi5e12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae",
  );
  const info = parseInfo(bytes);
  assert.equal(toHex(info.infohashes.v1!), toHex(sha1(bytes)));
  assert.equal(info.infoBytes, bytes);
});

test("v1: offsets, attributes, utf-8 names", () => {
  const info = parseInfo(
    v1Folder(
      [
        { length: 10, path: ["old"], "path.utf-8": [encodeUtf8("\u00fc")], attr: "xh" },
        { length: 0, path: ["empty"] },
        { length: 40_000, path: ["b", "c"], attr: "?" },
      ],
      { "name.utf-8": "new", source: "tag" },
    ),
  );
  assert.equal(info.kind, "v1");
  assert.equal(info.name, "new");
  assert.equal(info.source, "tag");
  assert.equal(info.folder, true);
  assert.deepEqual(paths(info), ["new/\u00fc", "new/empty", "new/b/c"]);
  assert.deepEqual(
    info.files.map((file) => file.offset),
    [0, 10, 10],
  );
  assert.ok(info.files[0]!.executable && info.files[0]!.hidden && !info.files[2]!.executable);
  assert.equal(info.infohashes.v2, undefined);
  assert.equal(info.pieceHashes?.length, 60);
});

test("v2: files start on piece borders, empty ones take no space", () => {
  const info = parseInfo(v2({ a: leaf(20_000), b: leaf(0, {}), c: dictOf({ d: leaf(5) }) }));
  assert.equal(info.kind, "v2");
  assert.equal(info.pieceHashes, undefined);
  assert.equal(info.infohashes.v1, undefined);
  assert.equal(toHex(info.infohashes.v2!), toHex(sha256(info.infoBytes)));
  assert.deepEqual(paths(info), ["n/a", "n/b", "n/c/d"]);
  assert.deepEqual(
    info.files.map((file) => file.offset),
    [0, 32_768, 32_768],
  );
  assert.equal(info.geometry.pieceCount, 3);
  assert.equal(info.geometry.pieceSize(1), 20_000 - PIECE);
});

test("v2: a single file with the torrent's name is a file, not a folder", () => {
  assert.equal(parseInfo(v2({ n: leaf(5) })).folder, false);
  assert.deepEqual(paths(parseInfo(v2({ n: leaf(5) }))), ["n"]);
  assert.deepEqual(paths(parseInfo(v2({ m: leaf(5) }))), ["n/m"]);
  assert.deepEqual(paths(parseInfo(v2({ n: dictOf({ n: leaf(5) }) }))), ["n/n/n"]);
});

test("a torrent of only empty files has no pieces", () => {
  const info = parseInfo(v1({ length: 0, pieces: new Uint8Array(0) }));
  assert.equal(info.geometry.pieceCount, 0);
  assert.equal(parseInfo(v2({ a: leaf(0, {}) })).geometry.pieceCount, 0);
});

test("the caller sets the limit of bytes", () => {
  const bytes = v1({});
  assert.throws(() => parseInfo(bytes, { bytesMax: bytes.length - 1 }), { code: "too-large" });
  assert.ok(parseInfo(bytes, { bytesMax: bytes.length }));
  assert.throws(() => parseInfo(concatBytes([bytes, bytes])), { code: "bad-bencode" });
});
