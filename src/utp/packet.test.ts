import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { fromHex, toHex } from "../base/bytes.ts";
import {
  DATA,
  decodePacket,
  emptyHead,
  encodeHead,
  encodeSelectiveAck,
  HEADER_BYTES,
  looksLikeUtp,
  RESET,
  SACK_OFFSET,
  STATE,
  SYN,
} from "./packet.ts";

interface Vectors {
  readonly bep29: { readonly syn: string; readonly fields: Readonly<Record<string, number>> };
}

const VECTORS_FILE = new URL("../../test/vectors/vectors.json", import.meta.url);
const { bep29 } = JSON.parse(readFileSync(VECTORS_FILE, "utf8")) as Vectors;
const SYN_BYTES = fromHex(bep29.syn)!;

test("the vector of BEP 29 decodes and encodes", () => {
  const head = emptyHead();
  assert.ok(decodePacket(SYN_BYTES, head));
  const { fields } = bep29;
  assert.equal(head.type, SYN);
  assert.equal(head.connectionId, fields["connection_id"]);
  assert.equal(head.timestamp, fields["timestamp"]);
  assert.equal(head.timestampDifference, fields["diff"]);
  assert.equal(head.windowBytes, fields["wnd"]);
  assert.equal(head.sequence, fields["seq"]);
  assert.equal(head.ack, fields["ack"]);
  assert.equal(head.payloadStart, HEADER_BYTES);
  const out = new Uint8Array(HEADER_BYTES);
  encodeHead(out, head);
  assert.equal(toHex(out), bep29.syn);
});

/** A STATE with these extensions after its head. */
function withExtensions(first: number, extensions: string): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + extensions.length / 2);
  bytes.set(SYN_BYTES);
  bytes[0] = (STATE << 4) | 1;
  bytes[1] = first;
  bytes.set(fromHex(extensions)!, HEADER_BYTES);
  return bytes;
}

test("WIR-21: extensions that do not fit are refused, and unknown ones skipped", () => {
  const head = emptyHead();
  for (const [first, extensions] of [
    [1, ""], // none there
    [1, "00"], // no length
    [1, "0004aabbcc"], // shorter than it says
    [3, "01020000"], // a second one is announced and missing
  ] as const) {
    assert.equal(decodePacket(withExtensions(first, extensions), head), false, extensions);
  }
  assert.ok(decodePacket(withExtensions(3, "0104000000090004010000ff"), head));
  assert.equal(head.sackStart, HEADER_BYTES + 8);
  assert.equal(head.sackBytes, 4);
  assert.equal(head.payloadStart, HEADER_BYTES + 12);
});

test("a selective ack of any length counts: libtorrent's is seldom a multiple of 4", () => {
  const head = emptyHead();
  for (const [extensions, sackBytes] of [
    ["0003aabbcc", 3],
    ["0000", 0],
  ] as const) {
    assert.ok(decodePacket(withExtensions(1, extensions), head));
    assert.equal(head.sackBytes, sackBytes);
    assert.equal(head.payloadStart, HEADER_BYTES + 2 + sackBytes);
  }
});

test("other protocols of the port are told apart", () => {
  assert.ok(looksLikeUtp(SYN_BYTES));
  const cases: [string, Uint8Array][] = [
    ["the DHT", new TextEncoder().encode("d1:ad2:id20:abcdefghij0123456789e1:q4:ping")],
    ["a tracker's reply", fromHex("00000001000000010000000200000003000000ff")!],
    ["a short one", SYN_BYTES.subarray(0, HEADER_BYTES - 1)],
    ["version 2", Uint8Array.from(SYN_BYTES).fill(0x42, 0, 1)],
    ["type 5", Uint8Array.from(SYN_BYTES).fill(0x51, 0, 1)],
  ];
  for (const [name, bytes] of cases) assert.equal(looksLikeUtp(bytes), false, name);
});

test("a selective ack comes back as it was written", () => {
  const bytes = new Uint8Array(SACK_OFFSET + 8);
  encodeHead(bytes, { ...emptyHead(), type: DATA });
  bytes.set([1, 2, 3, 4, 5, 6, 7, 8], SACK_OFFSET);
  assert.equal(encodeSelectiveAck(bytes, 8), bytes.length);
  const head = emptyHead();
  assert.ok(decodePacket(bytes, head));
  assert.deepEqual([head.sackStart, head.sackBytes], [SACK_OFFSET, 8]);
  assert.equal(encodeSelectiveAck(bytes, 0), HEADER_BYTES);
  assert.notEqual(head.type, RESET);
});
