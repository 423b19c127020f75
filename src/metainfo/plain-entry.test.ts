import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { dictOf, encode, type Encodable } from "../bencode/encode.ts";
import type { TorrentFile, TorrentInfo } from "./metainfo.ts";
import { parseInfo } from "./parse-metainfo.ts";

type Entry = Record<string, Encodable>;

const PIECE = 16_384;

function read(name: string, entries: readonly Entry[]): TorrentInfo {
  const bytes = entries.reduce((sum, { length }) => sum + Number(length), 0);
  const pieces = new Uint8Array(Math.ceil(bytes / PIECE) * 20);
  return parseInfo(
    encode(dictOf({ name, files: entries.map(dictOf), "piece length": PIECE, pieces })),
  );
}

/** The fields of a file, as values. */
function plain(file: TorrentFile): TorrentFile {
  const { path, pathAsWritten, length, offset, pad, executable, hidden } = file;
  const { linkTarget, piecesRoot } = file;
  return { path, pathAsWritten, length, offset, pad, executable, hidden, linkTarget, piecesRoot };
}

// Plain names, other names, twins that differ in case, devices and padding.
const NAMES = [
  "a",
  "A",
  "b.txt",
  "B.TXT",
  "b (2).txt",
  "a:b",
  "\u00fc",
  "con",
  ".pad",
  "20",
  "_____padding_file_1",
  "x y",
];

const names = fc.constantFrom(...NAMES);
const entries = fc.record({
  path: fc.array(names, { minLength: 1, maxLength: 3 }),
  length: fc.constantFrom(0, 5, 20, 30_000),
  more: fc.constantFrom<Entry>(
    {},
    {},
    { attr: "p" },
    { attr: "x" },
    { attr: "l", length: 0, "symlink path": ["a"] },
    { md5sum: "0".repeat(32), mtime: 7 },
    { "path.utf-8": ["u", "v"] },
    { sha1: "s".repeat(20), zlist: [1, 2] },
  ),
});

/** The same entry, spelled so that only the field-by-field reader accepts it. */
function spelledOut(entry: Entry): Entry {
  return { attr: "", ...entry };
}

test("an entry means the same, whether it is read at once or field by field", () => {
  let beside = 0;
  fc.assert(
    fc.property(
      names,
      // Each file occurs a few times under other names: only neighbours in one folder take the fast path.
      fc.array(fc.tuple(entries, fc.array(names, { maxLength: 3 })), {
        minLength: 1,
        maxLength: 8,
      }),
      (name, list) => {
        const all = list.flatMap(([{ path, length, more }, others]) => [
          { path, length, ...more },
          ...others.map((other) => ({ path: [...path.slice(0, -1), other], length })),
        ]);
        beside += all.length - list.length;
        const atOnce = read(name, all);
        const fieldByField = read(name, all.map(spelledOut));
        assert.deepEqual(atOnce.files.map(plain), fieldByField.files.map(plain));
        const paths = atOnce.files.filter(({ pad }) => !pad).map(({ path }) => path.join("/"));
        assert.equal(new Set(paths.map((path) => path.toLowerCase())).size, paths.length);
      },
    ),
    { numRuns: 3000 },
  );
  assert.ok(beside > 1000);
});

test("BEN-7: a repeated key is judged in every entry", () => {
  const first = "d6:lengthi5e4:pathl1:d1:aee";
  for (const [second, code] of [
    ["d6:lengthi5e6:lengthi6e4:pathl1:d1:bee", "repeated-key"],
    ["d6:lengthi5e4:pathl1:d1:be4:pathl1:d1:cee", "repeated-key"],
    ["d6:lengthi5ee", "missing-key"],
    ["d4:pathl1:d1:bee", "missing-key"],
    ["d6:lengthi-5e4:pathl1:d1:bee", "bad-file-length"],
    ["d6:lengthi5e4:pathl1:di1eee", "bad-type"],
    ["d6:length1:54:pathl1:d1:bee", "bad-type"],
    ["i5e", "bad-type"],
  ] as const) {
    const info = `d5:filesl${first}${second}e4:name1:n12:piece lengthi16384e6:pieces20:${"a".repeat(20)}e`;
    assert.throws(() => parseInfo(Buffer.from(info, "latin1")), { code }, second);
  }
  const odd = "d6:lengthi05e4:pathl1:d1:bee".replace("1:b", "01:b");
  const info = `d5:filesl${first}${odd}${first.replace("1:a", "1:c")}e4:name1:n12:piece lengthi16384e6:pieces20:${"a".repeat(20)}e`;
  const { files } = parseInfo(Buffer.from(info, "latin1"));
  assert.deepEqual(
    files.map(({ path, length }) => [path.join("/"), length]),
    [
      ["n/d/a", 5],
      ["n/d/b", 5],
      ["n/d/c", 5],
    ],
  );
});
