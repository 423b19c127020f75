import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { decodeUtf8, toLatin1 } from "../../src/base/bytes.ts";
import {
  type BencodeDict,
  type BencodeValue,
  isBytes,
  isDict,
  isList,
} from "../../src/bencode/bencode-value.ts";
import { decode } from "../../src/bencode/decode.ts";
import { createTorrent, temporaryFolder } from "./content.ts";
import { libtorrent, program, skipUnless } from "./foreign-peers.ts";

// `create` writes what other programs write, byte for byte of the info dictionary: the same content gets the
// same infohash, whichever program makes the torrent.

const LIBTORRENT = path.join(import.meta.dirname, "libtorrent-create.py");
const MKTORRENT = "mktorrent";
const PIECE = 32_768;
const KINDS = ["v1", "v2", "hybrid"] as const;
type Kind = (typeof KINDS)[number];

type Files = Readonly<Record<string, number>>;

interface Input {
  readonly what: string;
  /** The size of one file, or of each file below a folder. */
  readonly content: number | Files;
  /** Default `PIECE`. */
  readonly pieceSize?: number | "auto";
  /** False: it makes no torrent when all files have 0 bytes. */
  readonly libtorrentTakes?: boolean;
}

/** mktorrent does not make smaller pieces. */
const MKTORRENT_PIECE_MIN = 32_768;

/** Names as people use them, including those that sort differently by letters, by tree or by UTF-16. */
const ODD_NAMES: Files = {
  "a/x.bin": 40_000,
  "a/z/q.bin": 70_000,
  "a-b": 33,
  "a.txt": 16_384,
  "a b  c.txt": 5,
  " leading and trailing ": 7,
  "B/two": 32_768,
  "b/one": 1,
  "A.TXT": 12,
  "ends with a dot.": 3,
  "-rf": 4,
  "what?": 9,
  "quo\"te's": 10,
  "100%25.txt": 11,
  "new\nline": 13,
  "tab\tname": 14,
  "back\\slash": 15,
  "con.txt": 16,
  "i am d4:infoe.txt": 17,
  "Übung/größe.dat": 100_000,
  "caf\u00e9": 21,
  "cafe\u0301": 22,
  "второй день/запись.bin": 50_000,
  "日本語/東京.txt": 12_345,
  "한국어.txt": 65_536,
  "ไทย/ภาษา.bin": 1_234,
  "हिन्दी/फ़ाइल": 2_345,
  "עברית.txt": 300,
  "عربي/ملف.txt": 301,
  "run me.sh": 77,
  "emoji 🌱/🌲👩‍🌾.bin": 4_096,
  "\uffdd last of the plane": 31,
  "😀 after it": 32,
};

const INPUTS: readonly Input[] = [
  ...[1, 16_384, 32_768, 100_000].map((bytes) => ({
    what: `one file of ${bytes} bytes`,
    content: bytes,
  })),
  {
    what: "one file of 3,000,001 bytes, its own piece size",
    content: 3_000_001,
    pieceSize: "auto",
  },
  { what: "an empty file", content: 0, libtorrentTakes: false },
  { what: "a folder of one file", content: { "f.bin": 20 } },
  {
    what: "a folder of empty files only",
    content: { a: 0, b: 0 },
    libtorrentTakes: false,
  },
  {
    what: "a folder with empty files first, between and last",
    content: { "0": 0, "a.bin": 40_000, b: 0, "c.bin": 1, "c/d/e/f": 0, z: 0 },
  },
  { what: "a folder of names in many scripts", content: ODD_NAMES },
  { what: "the same folder in small pieces", content: ODD_NAMES, pieceSize: 16_384 },
  { what: "the same folder in large pieces", content: ODD_NAMES, pieceSize: 131_072 },
];

/** Every byte depends on its position and its file. */
function write(file: string, bytes: number, salt: number): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(
    file,
    Buffer.alloc(bytes).map((_, i) => (i * 7 + (i >>> 8) + salt) & 0xff),
  );
}

/** @param options.executables - Make scripts executable, which libtorrent records and mktorrent does not. */
function makeContent(
  t: TestContext,
  content: number | Files,
  options: { readonly executables: boolean },
): string {
  const source = path.join(temporaryFolder(t), "Größe 🌱 of it");
  if (typeof content === "number") write(source, content, 1);
  else {
    for (const [index, [name, bytes]] of Object.entries(content).entries()) {
      write(path.join(source, name), bytes, index);
      if (options.executables && name.endsWith(".sh")) fs.chmodSync(path.join(source, name), 0o755);
    }
  }
  return source;
}

function dictOf(value: BencodeValue | undefined): BencodeDict {
  assert.ok(value !== undefined && isDict(value));
  return value;
}

/** The info dictionary of a .torrent file, byte for byte. */
function infoOf(torrent: string): Uint8Array {
  const spans = new Map<string, Uint8Array>();
  decode(fs.readFileSync(torrent), { spans });
  const info = spans.get("info");
  assert.ok(info, "there is one");
  return info;
}

interface Settings {
  readonly kind: Kind;
  readonly pieceSize?: number | "auto" | undefined;
  readonly options?: readonly string[];
}

/** The torrent that our command makes of it. */
function ours(source: string, { kind, pieceSize = PIECE, options = [] }: Settings): Uint8Array {
  const torrent = `${source}.ours`;
  const settings = ["--kind", kind, "--piece-size", String(pieceSize), "--force"];
  createTorrent(source, torrent, [...settings, ...options]);
  return infoOf(torrent);
}

/** Paths of a v1 torrent below its folder, in its order; `null` when it has one file, or is not v1 only. */
function orderOf(info: Uint8Array): string[] | null {
  const dict = dictOf(decode(info));
  const files = dict.get("files");
  if (files === undefined || dict.has("meta version")) return null;
  assert.ok(isList(files));
  return files.map((file) => {
    const parts = dictOf(file).get("path");
    assert.ok(parts !== undefined && isList(parts));
    return parts.map((part) => (isBytes(part) ? decodeUtf8(part) : "")).join("/");
  });
}

function byLibtorrent(
  source: string,
  wanted: {
    readonly kind: Kind;
    readonly pieceSize?: number | "auto" | undefined;
    readonly private?: boolean;
    readonly order: string[] | null;
  },
): Uint8Array {
  const output = `${source}.libtorrent`;
  const pieceSize = wanted.pieceSize === "auto" ? 0 : (wanted.pieceSize ?? PIECE);
  const job = JSON.stringify({ private: false, ...wanted, source, output, pieceSize });
  execFileSync("/usr/bin/python3", [LIBTORRENT, job], { stdio: "pipe" });
  return infoOf(output);
}

function byMktorrent(
  source: string,
  { pieceSize, options = [] }: { readonly pieceSize: number; readonly options?: readonly string[] },
): Uint8Array {
  const output = `${source}.mktorrent`;
  fs.rmSync(output, { force: true });
  const command = ["-l", String(Math.log2(pieceSize)), "-o", output, "-a", "http://a.example/"];
  execFileSync(MKTORRENT, [...command, ...options, source], { stdio: "pipe" });
  return infoOf(output);
}

/** In latin1, so that a failure shows where they differ. */
function assertSameInfo(theirs: Uint8Array, ourInfo: Uint8Array): void {
  assert.equal(toLatin1(ourInfo), toLatin1(theirs));
}

/** The piece size of our torrent. */
function pieceSizeOf(info: Uint8Array): number {
  return Number(dictOf(decode(info)).get("piece length"));
}

const noMktorrent = skipUnless(program(MKTORRENT));
const noLibtorrent = skipUnless(libtorrent);

for (const { what, content, pieceSize, libtorrentTakes } of INPUTS) {
  if (pieceSize === undefined || pieceSize === "auto" || pieceSize >= MKTORRENT_PIECE_MIN) {
    test(`create makes the info of mktorrent, v1: ${what}`, { skip: noMktorrent }, (t) => {
      const source = makeContent(t, content, { executables: false });
      const info = ours(source, { kind: "v1", pieceSize });
      assertSameInfo(byMktorrent(source, { pieceSize: pieceSizeOf(info) }), info);
    });
  }

  if (libtorrentTakes === false) continue;
  for (const kind of KINDS) {
    test(`create makes the info of libtorrent, ${kind}: ${what}`, { skip: noLibtorrent }, (t) => {
      const source = makeContent(t, content, { executables: true });
      const info = ours(source, { kind, pieceSize });
      assertSameInfo(byLibtorrent(source, { kind, pieceSize, order: orderOf(info) }), info);
    });
  }
}

const SETTINGS = [
  "--comment",
  "Größe: 3 km",
  "--tracker",
  "http://a.example/announce",
  "--private",
];

test("create makes the info of mktorrent: private, comment, source", { skip: noMktorrent }, (t) => {
  const source = makeContent(t, ODD_NAMES, { executables: false });
  for (const tag of ["everseed", "Прибой 🌊"]) {
    const info = ours(source, { kind: "v1", options: [...SETTINGS, "--source", tag] });
    const options = ["-p", "-c", "another comment", "-s", tag];
    assertSameInfo(byMktorrent(source, { pieceSize: PIECE, options }), info);
  }
});

for (const kind of KINDS) {
  test(`create makes the info of libtorrent, ${kind}: private`, { skip: noLibtorrent }, (t) => {
    const source = makeContent(t, ODD_NAMES, { executables: true });
    const info = ours(source, { kind, options: SETTINGS });
    assertSameInfo(byLibtorrent(source, { kind, private: true, order: orderOf(info) }), info);
  });
}
