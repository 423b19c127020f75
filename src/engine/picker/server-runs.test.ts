import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../sim/seeded-random.ts";
import type { PeerKey } from "./peer-key.ts";
import { BLOCKS, PickerBench } from "./picker-bench.ts";

/** Pieces of four blocks: a run of 4 MiB is 64 of them. */
const RUN_PIECES = 64;

function server(bench: PickerBench, sender = 1000): PeerKey {
  const key = bench.picker.peerJoined(sender, true);
  bench.picker.peerHasAll(key);
  return key;
}

/** The pieces of picked blocks, in order and each once. */
function piecesOf(names: readonly string[]): number[] {
  return [...new Set(names.map((name) => Number(name.split(":")[0])))];
}

function isRow(pieces: readonly number[]): boolean {
  return pieces.every((piece, at) => at === 0 || piece === pieces[at - 1]! + 1);
}

test("a server gets pieces in a row, and a peer does not", () => {
  const bench = new PickerBench(400, seededRandom(3));
  const web = server(bench);
  const first = piecesOf(bench.pick(web, 20 * BLOCKS));
  assert.ok(first.length === 20 && isRow(first), first.join(" "));
  const next = piecesOf(bench.pick(web, 5 * BLOCKS));
  assert.ok(isRow([...first, ...next]), "the next request goes on from there");
  assert.ok(!isRow(piecesOf(bench.pick(bench.peer("all"), 20 * BLOCKS, { whole: true }))));
});

test("a run begins where few peers have the pieces, and goes on through others for 4 MiB only", () => {
  const bench = new PickerBench(400, seededRandom(4));
  const common = Array.from({ length: 400 }, (_, piece) => piece).filter(
    (piece) => piece !== 100 && piece !== 300,
  );
  for (let peer = 0; peer < 3; peer += 1) bench.peer(common);
  const pieces = piecesOf(bench.pick(server(bench), (RUN_PIECES + 1) * BLOCKS));
  const [begin] = pieces;
  assert.ok(begin === 100 || begin === 300, `it begins at ${begin}`);
  assert.ok(isRow(pieces.slice(0, RUN_PIECES)));
  assert.equal(pieces[RUN_PIECES], begin === 100 ? 300 : 100, "then the other rare one");
});

test("a run begins at the beginning of its gap", () => {
  const bench = new PickerBench(40, seededRandom(5));
  bench.picker.markHave(bench.bits(Array.from({ length: 20 }, (_, piece) => piece)));
  assert.equal(piecesOf(bench.pick(server(bench), BLOCKS))[0], 20);
});

test("end game: two connections to one server do not copy each other, and a peer may", () => {
  const bench = new PickerBench(2, seededRandom(6));
  const [one, other] = [server(bench), server(bench)];
  bench.pick(one, 2 * BLOCKS);
  assert.deepEqual(bench.pick(other, 8), []);
  const [peer] = [bench.peer("all")];
  assert.equal(bench.pick(peer, 8).length, 8);
});

test("end game: a server helps with what a peer owes", () => {
  const bench = new PickerBench(2, seededRandom(7));
  const names = bench.pick(bench.peer("all"), 2 * BLOCKS);
  assert.deepEqual(bench.pick(server(bench), 8).sort(), [...names].sort());
});
