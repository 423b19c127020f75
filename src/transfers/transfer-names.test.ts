import assert from "node:assert/strict";
import { test } from "node:test";
import { buildMetainfo, planTorrent } from "../metainfo/create.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import { parseMetainfo } from "../metainfo/parse-metainfo.ts";
import { placedInfo } from "./placed-info.ts";
import { withRenamed } from "./transfer-names.ts";

function torrentOf(name: string, ...paths: string[]): TorrentInfo {
  const files = paths.map((path) => ({ path: path.split("/"), length: 3 }));
  const plan = planTorrent({ name, kind: "v1", pieceLength: 16_384, files });
  const built = buildMetainfo(plan, { v1: new Uint8Array(20 * plan.geometry.pieceCount) });
  return parseMetainfo(built.torrent).info;
}

const TALKS = torrentOf("talks", "a.txt", "b.txt", "deep/a.txt", "deep/er/c.txt", "constructor");

function pathsOf(info: TorrentInfo, names: Readonly<Record<string, string>>): string[] {
  return placedInfo(info, names).files.map(({ path }) => path.join("/"));
}

test("files and folders are renamed one after the other, each by the name that it has then", () => {
  let names = withRenamed(TALKS, undefined, { path: "talks/deep", name: "tief" });
  names = withRenamed(TALKS, names, { path: "talks/tief/er/c.txt", name: "dritte.txt" });
  names = withRenamed(TALKS, names, { path: "talks", name: "vorträge" });
  names = withRenamed(TALKS, names, { path: "vorträge/tief/er", name: "tiefer" });
  assert.deepEqual(pathsOf(TALKS, names), [
    "vorträge/a.txt",
    "vorträge/b.txt",
    "vorträge/constructor",
    "vorträge/tief/a.txt",
    "vorträge/tief/tiefer/dritte.txt",
  ]);
  assert.equal(Object.keys(names).length, 4, "a folder costs one name");
  names = withRenamed(TALKS, names, { path: "vorträge", name: "talks" });
  names = withRenamed(TALKS, names, { path: "talks/tief", name: "deep" });
  assert.equal(Object.keys(names).length, 2, "a name of the torrent's own costs nothing");
});

test("nothing gets a name that its neighbour has, however that is spelled", () => {
  for (const [path, name] of [
    ["talks/a.txt", "b.txt"],
    ["talks/a.txt", "B.TXT"],
    ["talks/a.txt", "deep"],
    ["talks/deep", "A.txt"],
    ["talks/deep/er", "a.TXT"],
  ] as const) {
    assert.throws(() => withRenamed(TALKS, {}, { path, name }), { code: "exists" }, name);
  }
  const twins = torrentOf("x", "e\u0301.txt", "b");
  assert.throws(() => withRenamed(twins, {}, { path: "x/b", name: "\u00c9.txt" }), {
    code: "exists",
  });
  const swapped = withRenamed(TALKS, {}, { path: "talks/a.txt", name: "A.txt" });
  assert.equal(pathsOf(TALKS, swapped)[0], "talks/A.txt", "its own other spelling is no neighbour");
  const moved = withRenamed(TALKS, {}, { path: "talks/b.txt", name: "c.txt" });
  const freed = withRenamed(TALKS, moved, { path: "talks/a.txt", name: "b.txt" });
  assert.deepEqual(pathsOf(TALKS, freed).slice(0, 2), ["talks/b.txt", "talks/c.txt"]);
});

test("MET-1 MET-3 MET-4 a name of the owner follows the rules for names of torrents", () => {
  for (const name of [
    "..",
    ".",
    "",
    "a/b",
    "a\\b",
    "a\0b",
    "con",
    "NUL.txt",
    "end.",
    "end ",
    "a\u202eb",
    "a\u200bb",
    "a:b",
    `${"x".repeat(252)}.txt`,
    "\ud800",
  ]) {
    const renaming = (): unknown => withRenamed(TALKS, {}, { path: "talks/a.txt", name });
    assert.throws(renaming, { code: "bad-choice" }, JSON.stringify(name));
  }
  const room = `${"x".repeat(246)}.txt`;
  const long = { path: "talks/a.txt", name: `${room.slice(1)}` };
  assert.doesNotThrow(() => withRenamed(TALKS, {}, long));
  assert.throws(() => withRenamed(TALKS, {}, { ...long, name: `xx${room}` }), /no room for \.part/);
  assert.throws(() => withRenamed(TALKS, {}, { path: "talks", name: ".config" }), /hidden/);
  assert.doesNotThrow(() => withRenamed(TALKS, {}, { path: "talks/a.txt", name: ".hidden" }));
});

test("what is not there cannot be renamed, nor what only every object has", () => {
  for (const path of ["talk", "talks/", "talks/deep/b.txt", "toString", "../talks", "/talks", ""]) {
    assert.throws(() => withRenamed(TALKS, {}, { path, name: "x" }), { code: "not-found" }, path);
  }
  assert.equal(pathsOf(TALKS, { "talks/a.txt": "z" })[2], "talks/constructor");
  const proto = withRenamed(TALKS, {}, { path: "talks/constructor", name: "__proto__" });
  const stored = JSON.parse(JSON.stringify(proto)) as Record<string, string>;
  assert.equal(pathsOf(TALKS, stored)[2], "talks/__proto__");
});
