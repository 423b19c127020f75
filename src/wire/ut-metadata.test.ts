import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, fromLatin1, toLatin1 } from "../base/bytes.ts";
import {
  MetadataServer,
  decodeMetadataMessage,
  encodeMetadataData,
  encodeMetadataReject,
  encodeMetadataRequest,
  metadataBlockCount,
} from "./ut-metadata.ts";

for (const [what, payload] of [
  ["nothing", ""],
  ["a list", "le"],
  ["no msg_type", "d5:piecei0ee"],
  ["no piece", "d8:msg_typei0ee"],
  ["a negative piece", "d8:msg_typei0e5:piecei-1ee"],
  ["a piece of 2^64", "d8:msg_typei0e5:piecei18446744073709551616ee"],
  ["data without total_size", "d8:msg_typei1e5:piecei0eeabc"],
  ["data with a negative size", "d8:msg_typei1e5:piecei0e10:total_sizei-3eeabc"],
  ["a block that is too short", "d8:msg_typei1e5:piecei0e10:total_sizei4eeabc"],
  ["bytes after the block", "d8:msg_typei1e5:piecei0e10:total_sizei2eeabc"],
  ["a block past the end", "d8:msg_typei1e5:piecei1e10:total_sizei3ee"],
  ["a deep dictionary", `d1:a${"l".repeat(30)}${"e".repeat(30)}8:msg_typei0e5:piecei0ee`],
] as const) {
  test(`WIR-10: refuses ${what}`, () => {
    assert.throws(() => decodeMetadataMessage(fromLatin1(payload)), { code: "bad-extension" });
  });
}

test("BEP 9: the three messages", () => {
  assert.equal(toLatin1(encodeMetadataRequest(0)), "d8:msg_typei0e5:piecei0ee");
  assert.equal(toLatin1(encodeMetadataReject(0)), "d8:msg_typei2e5:piecei0ee");
  const data = encodeMetadataData(0, 3425, new Uint8Array(3425).fill(0x65));
  assert.ok(toLatin1(data).startsWith("d8:msg_typei1e5:piecei0e10:total_sizei3425eeeee"));
  assert.deepEqual(decodeMetadataMessage(encodeMetadataRequest(3)), { kind: "request", index: 3 });
  assert.deepEqual(decodeMetadataMessage(encodeMetadataReject(3)), { kind: "reject", index: 3 });
  assert.deepEqual(decodeMetadataMessage(data), {
    kind: "data",
    index: 0,
    totalSize: 3425,
    block: new Uint8Array(3425).fill(0x65),
  });
});

test("BEP 9: an unknown message type is ignored", () => {
  assert.equal(decodeMetadataMessage(fromLatin1("d8:msg_typei9ee")), undefined);
});

test("WIR-10: a server hands the dictionary out twice, then rejects", () => {
  const info = new Uint8Array(40_000).map((_, index) => index);
  const server = new MetadataServer(info);
  const count = metadataBlockCount(info.length);
  assert.equal(count, 3);
  for (let round = 0; round < 2; round += 1) {
    const blocks: Uint8Array[] = [];
    for (let index = 0; index < count; index += 1) {
      const message = decodeMetadataMessage(server.answer(index));
      assert.ok(message?.kind === "data");
      blocks.push(message.block);
    }
    assert.deepEqual(concatBytes(blocks), info);
  }
  assert.deepEqual(server.answer(0), encodeMetadataReject(0));
});

test("WIR-10: blocks past the end are rejected", () => {
  const server = new MetadataServer(new Uint8Array(16_384));
  assert.deepEqual(server.answer(1), encodeMetadataReject(1));
  assert.deepEqual(server.answer(2 ** 40), encodeMetadataReject(2 ** 40));
});
