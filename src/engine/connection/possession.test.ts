import assert from "node:assert/strict";
import { test } from "node:test";
import { WireError } from "../../wire/wire-error.ts";
import { Possession } from "./possession.ts";

const FIRST = Uint8Array.of(0b1000_0000, 0);
const FIRST_TWO = Uint8Array.of(0b1100_0000, 0);

function possession(pieceCount?: number): Possession {
  const made = new Possession();
  if (pieceCount !== undefined) made.setPieceCount(pieceCount);
  return made;
}

const REFUSED: readonly [string, (peer: Possession) => void][] = [
  ["a bitfield of another length", (peer) => void peer.handleBitfield(Uint8Array.of(0))],
  ["a have past the end", (peer) => void peer.handleHave(10)],
];
for (const [name, say] of REFUSED) {
  test(`WIR-4: refused when the piece count becomes known: ${name}`, () => {
    const peer = possession();
    say(peer);
    assert.throws(() => peer.setPieceCount(10), WireError);
  });
}

test("WIR-4: spare bits, and a bitfield that takes a piece back, are refused", () => {
  const peer = possession(10);
  assert.throws(() => peer.handleBitfield(Uint8Array.of(0, 1)), WireError);
  peer.handleBitfield(FIRST_TWO);
  assert.throws(() => peer.handleBitfield(FIRST), WireError);
});

test("statements from before the piece count was known are interpreted when it is", () => {
  const [bits, all, none] = [possession(), possession(), possession()];
  assert.equal(bits.handleBitfield(FIRST).kind, "kept");
  assert.equal(bits.handleHave(3), false);
  assert.equal(all.handleHaveAll().kind, "kept");
  assert.equal(none.handleHaveNone().kind, "kept");
  assert.equal(bits.pieces, undefined);
  for (const peer of [bits, all, none]) peer.setPieceCount(10);
  assert.deepEqual([...bits.pieces!.indexes()], [0, 3]);
  assert.deepEqual([all.isAll, bits.isAll, none.isAll], [true, false, false]);
  assert.equal(none.pieces!.count, 0);
});

test("a bitfield is a statement the first time, and a number of haves after that", () => {
  const peer = possession(10);
  assert.deepEqual(peer.handleBitfield(FIRST), { kind: "stated" });
  assert.equal(peer.handleHave(0), false);
  assert.deepEqual(peer.handleBitfield(FIRST_TWO), { kind: "grown", pieces: [1] });
  assert.equal(peer.handleHave(2), true);
  assert.equal(peer.handleHaveAll().kind, "stated");
  assert.equal(peer.isAll, true);
});

test("WIR-7: a repeated bitfield costs a step per byte, not a step per piece", () => {
  const pieceCount = 80_000;
  const peer = possession(pieceCount);
  const bits = new Uint8Array(pieceCount / 8).fill(0xff);
  peer.handleBitfield(bits);
  let steps = 0;
  const pieces = peer.pieces!;
  const has = pieces.has.bind(pieces);
  const indexes = pieces.indexes.bind(pieces);
  pieces.has = (piece) => {
    steps += 1;
    return has(piece);
  };
  pieces.indexes = function* () {
    for (const piece of indexes()) {
      steps += 1;
      yield piece;
    }
  };
  assert.deepEqual(peer.handleBitfield(bits), { kind: "grown", pieces: [] });
  assert.equal(steps, 0);
});

test("the pieces that a second bitfield adds and retracts are found within bytes", () => {
  const peer = possession(20);
  peer.handleBitfield(Uint8Array.of(0b1000_0000, 0b0000_0001, 0));
  const more = peer.handleBitfield(Uint8Array.of(0b1000_0001, 0b1000_0001, 0b0001_0000));
  assert.deepEqual(more, { kind: "grown", pieces: [7, 8, 19] });
  assert.equal(peer.pieces!.count, 5);
  const less = Uint8Array.of(0b1000_0001, 0b1000_0000, 0b0001_0000);
  assert.throws(() => peer.handleBitfield(less), /takes piece 15 back/);
});

test("WIR-7: a peer that alternates between having everything and less is believed 50 times", () => {
  const peer = possession(10);
  for (let time = 0; time < 50; time += 1) {
    assert.equal(peer.handleHaveAll().kind, "stated");
    assert.deepEqual(peer.handleHaveAll(), { kind: "grown", pieces: [] }, "no news");
    peer.pieces!.delete(3);
  }
  assert.throws(() => peer.handleHaveAll(), WireError);
});
