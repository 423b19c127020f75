import assert from "node:assert/strict";
import { test } from "node:test";
import { Bitfield } from "../base/bitfield.ts";
import { decodeResume, encodeResume } from "./resume-codec.ts";
import type { ResumeState } from "./session-contract.ts";

function bits(length: number, ...indexes: number[]): Bitfield {
  const bitfield = new Bitfield(length);
  for (const index of indexes) bitfield.add(index);
  return bitfield;
}

const STATE: ResumeState = {
  have: bits(21, 0, 3, 20),
  stamps: [
    { size: 1000, mtimeMs: 1_763_700_000_123.456, inode: 42 },
    { size: -1, mtimeMs: 0, inode: 0 },
  ],
  savedAtMs: 1_763_700_001_000,
  clean: true,
  partial: [{ piece: 7, blocks: bits(4, 1, 2) }],
  uploaded: Number.MAX_SAFE_INTEGER,
  downloaded: 12,
};
const BYTES = encodeResume(STATE);

for (let tenth = 0; tenth < 10; tenth += 1) {
  test(`STO-3: cut at ${tenth * 10} %`, () => {
    assert.equal(decodeResume(BYTES.slice(0, Math.floor((BYTES.length * tenth) / 10))), undefined);
  });
}

test("STO-3: any byte flipped", () => {
  for (let index = 0; index < BYTES.length; index += 1) {
    const flipped = BYTES.slice();
    flipped[index] = flipped[index]! ^ 0x10;
    assert.equal(decodeResume(flipped), undefined, `byte ${index}`);
  }
});

test("STO-3: a byte more, and another file altogether", () => {
  assert.equal(decodeResume(Buffer.concat([BYTES, Buffer.from("e")])), undefined);
  assert.equal(decodeResume(new Uint8Array(4096)), undefined);
});

test("what goes in comes out", () => {
  const back = decodeResume(BYTES);
  assert.ok(back);
  assert.deepEqual(back, { ...STATE, stamps: back.stamps });
  for (const [index, stamp] of STATE.stamps.entries()) {
    assert.equal(back.stamps[index]!.size, stamp.size);
    assert.ok(Math.abs(back.stamps[index]!.mtimeMs - stamp.mtimeMs) < 0.002);
    assert.equal(back.stamps[index]!.inode, stamp.inode);
  }
});

test("WIR-23: inodes and times past 2^53 are no trouble", () => {
  const stamp = { size: 1, mtimeMs: Date.UTC(2400, 0), inode: 2 ** 63 };
  const back = decodeResume(encodeResume({ ...STATE, stamps: [stamp] }));
  assert.deepEqual(back?.stamps, [stamp]);
});
