import assert from "node:assert/strict";
import { test } from "node:test";
import { naturalKey } from "../base/natural-order.ts";
import { finish } from "../base/work.ts";
import { buildMetainfo, planTorrent } from "../metainfo/create.ts";
import { parseMetainfo, parseMetainfoInSteps } from "../metainfo/parse-metainfo.ts";
import { FileIndex, FileList } from "./file-list.ts";

const WORDS = ["Harbour", "Tide", "\u00c9tude", "10", "9", "fog", "Net.flac", "\u0130stanbul"];

function torrentOf(paths: readonly string[]): Uint8Array {
  const plan = planTorrent({
    name: "talks",
    kind: "v1",
    pieceLength: 16_384,
    files: paths.map((path, index) => ({ path: path.split("/"), length: index % 3 })),
  });
  const pieces = new Uint8Array(plan.geometry.pieceCount * 20);
  return buildMetainfo(plan, { v1: pieces }).torrent;
}

const paths = Array.from({ length: 3_000 }, (_, index) => {
  const word = (step: number) => WORDS[Math.floor(index / step) % WORDS.length]!;
  return `${word(1)}/${word(8)} ${word(64)}/${index} ${word(3)}`;
});
const metainfo = parseMetainfo(torrentOf(paths));
const list = new FileList(metainfo);
const index = finish(FileIndex.build(list));

test("files stand in natural order, and each keeps its number", () => {
  const all = list.slice(0, Infinity);
  assert.equal(all.length, paths.length);
  const sorted = all.toSorted((a, b) => {
    const [left, right] = [naturalKey(a.path), naturalKey(b.path)];
    return left < right ? -1 : left > right ? 1 : a.index - b.index;
  });
  assert.deepEqual(
    sorted,
    all.map((_, place) => index.at(place)),
  );
  assert.deepEqual(list.slice(2_998, 200), all.slice(2_998));
  assert.deepEqual(list.slice(5_000, 200), []);
  assert.equal(list.torrentFile(3_000), undefined);
});

test("a query finds files with all of its words, in any case, in the order of the list", () => {
  const queries = [
    "",
    "harbour",
    "TIDE fog",
    "9 10 2",
    "net.flac tide 1",
    "zzz",
    "\u00e9tude",
    "/",
    "\n",
    "a r b o u",
  ];
  for (const query of queries) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    const expected = Array.from(paths.keys()).filter((place) => {
      const path = index.at(place).path.toLowerCase();
      return words.every((word) => path.includes(word));
    });
    assert.deepEqual([...finish(index.search(query))], expected, JSON.stringify(query));
  }
});

test("no step reads, orders or searches more than some hundred files", () => {
  const count = (work: Generator): number => {
    let steps = 0;
    while (!work.next().done) steps += 1;
    return steps;
  };
  assert.ok(count(parseMetainfoInSteps(torrentOf(paths))) >= paths.length / 128 - 1);
  assert.ok(count(FileIndex.build(list)) >= (2 * paths.length) / 256);
  assert.ok(count(index.search("harbour")) >= paths.length / 256);
});
