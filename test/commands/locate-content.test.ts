import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { encodeUtf8, toLatin1 } from "../../src/base/bytes.ts";
import { dictOf, encode } from "../../src/bencode/encode.ts";
import type { TorrentInfo } from "../../src/metainfo/metainfo.ts";
import { parseInfo } from "../../src/metainfo/parse-metainfo.ts";
import { locateContent } from "../../src/commands/locate-content.ts";
import { NodeUserFiles } from "../../src/platform/node-user-files.ts";

const disk = new NodeUserFiles();

/** A v1 torrent of files of one byte with these paths; names are bytes spelled in latin1. */
function torrentOf(name: string, ...paths: readonly string[][]): TorrentInfo {
  const files = paths.map((path) => dictOf({ length: 1, path: path.map(bytes) }));
  const info = { "piece length": 16_384, name: bytes(name), pieces: new Uint8Array(20) };
  return parseInfo(encode(dictOf(paths.length > 0 ? { ...info, files } : { ...info, length: 1 })));
}

function bytes(latin1: string): Uint8Array {
  return Uint8Array.from(latin1, (character) => character.charCodeAt(0));
}

function utf8(text: string): string {
  return toLatin1(encodeUtf8(text));
}

/** A folder with files of one byte. */
function folderWith(context: TestContext, ...paths: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "everseed-locate-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const path of paths) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), "x");
  }
  return folder;
}

function located(info: TorrentInfo, folder: string): string[] {
  return locateContent(disk, info, folder).info.files.map((file) => file.path.join("/"));
}

test("MET-1: names that lead elsewhere are never looked up as they are written", (context) => {
  const folder = folderWith(context, "inner/t/x", "secret", "inner/a\\b");
  const cases = [
    ["..", "..", "secret"],
    ["..", "secret"],
    ["/etc/passwd"],
    ["", "x"],
    [".", "x"],
    ["x\0"],
    ["\xff\xfe"],
    ["n".repeat(300)],
  ];
  for (const path of cases) {
    const info = torrentOf("t", path);
    assert.equal(info.files[0]!.pathAsWritten, undefined, JSON.stringify(path));
    assert.deepEqual(located(info, join(folder, "inner")), [info.files[0]!.path.join("/")]);
  }
  for (const name of ["..", ".", "../t", "/"]) {
    assert.equal(torrentOf(name).files[0]!.pathAsWritten, undefined, name);
    assert.equal(torrentOf(name, ["x?"]).files[0]!.pathAsWritten, undefined, name);
  }
});

test("MET-1: a backslash is a letter of a name here", (context) => {
  const folder = folderWith(context, "secret", "t/a\\b");
  assert.deepEqual(located(torrentOf("t", ["a\\b"]), folder), ["t/a\\b"]);
  const info = torrentOf("t", ["..\\secret"]);
  assert.deepEqual(located(info, folder), [info.files[0]!.path.join("/")]);
});

test("a name that begins with U+FEFF is found", (context) => {
  const folder = folderWith(context, "\ufefft/\ufeffx");
  assert.deepEqual(located(torrentOf(utf8("\ufefft"), [utf8("\ufeffx")]), folder), [
    "\ufefft/\ufeffx",
  ]);
});

test("a name whose dot was made visible is found, unless the other name exists", (context) => {
  assert.deepEqual(located(torrentOf(".rc"), folderWith(context, "_.rc")), ["_.rc"]);
  assert.deepEqual(located(torrentOf(".rc"), folderWith(context, "_.rc", ".rc")), [".rc"]);
  const folder = folderWith(context, "_.t/a");
  assert.deepEqual(located(torrentOf(".t", ["a"]), folder), ["_.t/a"]);
  assert.equal(locateContent(disk, torrentOf(".t", ["a"]), join(folder, "_.t")).root, folder);
});

test("content behind links is found: people keep their files as they like", (context) => {
  const folder = folderWith(context, "elsewhere/f", "t/plain");
  symlinkSync("../elsewhere", join(folder, "t/what?"));
  symlinkSync("plain", join(folder, "t/why?"));
  const info = torrentOf("t", ["what?", "f"], ["why?"]);
  assert.deepEqual(located(info, folder), ["t/what?/f", "t/why?"]);
  // Links that lead nowhere, or in a circle, count as missing.
  symlinkSync("nowhere", join(folder, "t/how?"));
  symlinkSync("who?", join(folder, "t/who?"));
  assert.deepEqual(located(torrentOf("t", ["how?"], ["who?"]), folder), ["t/how_", "t/who_"]);
  symlinkSync("t", join(folder, "other name"));
  assert.equal(locateContent(disk, info, join(folder, "other name")).root, folder);
});

const NAMES = ["what?", "a: b", "dots...", "blank ", "CON", "nul.txt", 'say "x"', "a*b", "x|y"];

test("MET-3: files are found under the names that the torrent gives them", (context) => {
  const info = torrentOf("talks: 2026?", ...NAMES.map((name) => [name, `${name}.`]));
  const written = NAMES.map((name) => `talks: 2026?/${name}/${name}.`);
  const folder = folderWith(context, ...written);
  assert.deepEqual(located(info, folder), written);
  const inner = locateContent(disk, info, join(folder, "talks: 2026?"));
  assert.equal(inner.root, folder, "the torrent's folder itself");
  assert.deepEqual(
    inner.info.files.map((file) => file.path.join("/")),
    written,
  );
});

test("MET-3: files are found under the names that get gives them", (context) => {
  const info = torrentOf("talks: 2026?", ...NAMES.map((name) => [name, `${name}.`]));
  const own = info.files.map((file) => file.path.join("/"));
  const folder = folderWith(context, ...own);
  assert.deepEqual(located(info, folder), own);
  assert.equal(locateContent(disk, info, join(folder, "talks_ 2026_")).root, folder);
});

test("MET-3: each file is looked up separately, and so is one file without a folder", (context) => {
  const info = torrentOf("t", ["a?"], ["b?"], ["c?"]);
  const folder = folderWith(context, "t/a?", "t/b_", "one?", utf8("é?"));
  assert.deepEqual(located(info, folder), ["t/a?", "t/b_", "t/c_"]);
  assert.deepEqual(located(torrentOf("one?"), folder), ["one?"]);
});

test("MET-4: letters of all scripts are kept in names, and control characters may occur", (context) => {
  const name = "講演\u200d \u202e";
  const info = torrentOf("t", [utf8(name)], [utf8("naïve")]);
  const folder = folderWith(context, `t/${name}`, "t/naïve");
  assert.deepEqual(located(info, folder), [`t/${name}`, "t/naïve"]);
});

test("MET-5: names that clean to the same name are not confused", (context) => {
  const info = torrentOf("t", ["a?"], ["a_"], ["A?"]);
  const own = info.files.map((file) => file.path.join("/"));
  assert.deepEqual(own, ["t/a_", "t/a_ (2)", "t/A_ (3)"]);
  const fetchedByUs = folderWith(context, ...own);
  assert.deepEqual(located(info, fetchedByUs), own);
  const fromElsewhere = folderWith(context, "t/a?", "t/a_", "t/A?");
  assert.deepEqual(located(info, fromElsewhere), ["t/a?", "t/a_", "t/A?"]);
});

test("missing content is named as get would store it", (context) => {
  const info = torrentOf("t", ["a?"]);
  assert.deepEqual(located(info, folderWith(context)), ["t/a_"]);
  assert.throws(() => locateContent(disk, info, "/nowhere/at/all"), { code: "not-found" });
});
