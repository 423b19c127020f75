import assert from "node:assert/strict";
import { test } from "node:test";
import { sha1 } from "../base/hash.ts";
import { type InputFile, buildMetainfo, planTorrent } from "../metainfo/create.ts";
import type { TorrentInfo, TorrentKind } from "../metainfo/metainfo.ts";
import { parseMetainfo } from "../metainfo/parse-metainfo.ts";
import { reusable } from "./reusable-files.ts";

const PIECE = 16 * 1024;

/** A torrent of files whose bytes all are one letter. */
function torrent(
  kind: TorrentKind,
  files: Readonly<Record<string, readonly [string, number]>>,
): TorrentInfo {
  const entries = Object.entries(files);
  const inputs: InputFile[] = entries.map(([name, [, length]]) => ({ path: [name], length }));
  const plan = planTorrent({ name: "t", kind, pieceLength: PIECE, files: inputs });
  const contents = plan.files.map(({ input, length }) =>
    new Uint8Array(length).fill(input === undefined ? 0 : entries[input]![1][0].charCodeAt(0)),
  );
  const all = Buffer.concat(contents);
  const v1: Uint8Array[] = [];
  for (let at = 0; at < all.length; at += PIECE) v1.push(sha1(all.subarray(at, at + PIECE)));
  const built = buildMetainfo(plan, { v1: Buffer.concat(v1) });
  return parseMetainfo(built.torrent).info;
}

function pairs(next: TorrentInfo, before: TorrentInfo | undefined): string[] {
  return [...reusable(next, before)].map(
    ({ to, from, isSame }) => `${from.path.at(-1)} -> ${to.path.at(-1)}${isSame ? " same" : ""}`,
  );
}

test("v1: a file is the same when all pieces that cover it are, and it lies there in the same way", () => {
  const before = torrent("v1", { a: ["x", 3 * PIECE], b: ["y", 2 * PIECE], c: ["z", 10] });
  const next = torrent("v1", { a: ["x", 3 * PIECE], b: ["n", 2 * PIECE], c: ["z", 10] });
  assert.deepEqual(pairs(next, before), ["a -> a same", "b -> b", "c -> c same"]);
});

test("v1: a file that shares a piece with one that changed may be another", () => {
  const before = torrent("v1", { a: ["x", PIECE + 5], b: ["y", 100] });
  const next = torrent("v1", { a: ["x", PIECE + 5], b: ["n", 100] });
  assert.deepEqual(pairs(next, before), ["a -> a", "b -> b"]);
  const longer = torrent("v1", { a: ["x", PIECE + 6], b: ["y", 100] });
  assert.deepEqual(pairs(longer, before), ["a -> a", "b -> b"]);
});

test("files that only one version has are not reused; without a version, what has the same path is", () => {
  const before = torrent("v1", { gone: ["x", 5], stays: ["y", 5] });
  const next = torrent("v1", { added: ["x", 5], stays: ["n", 5], empty: ["", 0] });
  assert.deepEqual(pairs(next, before), ["stays -> stays"]);
  assert.deepEqual(pairs(next, undefined), ["added -> added", "stays -> stays"]);
});
