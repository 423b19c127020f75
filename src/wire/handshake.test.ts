import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fromLatin1, toHex } from "../base/bytes.ts";
import { HANDSHAKE_BYTES, HandshakeDecoder, encodeHandshake } from "./handshake.ts";

const vectors = JSON.parse(
  readFileSync(new URL("../../test/vectors/vectors.json", import.meta.url), "utf8"),
) as { handshake: { hex: string } };

const handshake = {
  infohash: new Uint8Array(20).fill(0xaa),
  peerId: fromLatin1("-EV0100-abcdefghijkl"),
  extended: true,
  fast: true,
  dht: true,
  v2: true,
};

for (const [what, text] of [
  ["HTTP", "GET / HTTP/1.1\r\n"],
  ["TLS", "\x16\x03\x01\x02\x00\x01"],
  ["ssh", "SSH-2.0-OpenSSH_9.2"],
  ["another length of the protocol's name", "\x12BitTorrent protocol"],
  ["another protocol's name", "\x13BitTorrent protocoL"],
  ["zeros", "\0\0\0\0"],
] as const) {
  test(`WIR-3: refuses ${what} at the first byte that is wrong`, () => {
    const bytes = fromLatin1(text);
    const whole = new HandshakeDecoder();
    assert.throws(() => whole.feed(bytes, bytes.length), { code: "bad-handshake" });
    const bytewise = new HandshakeDecoder();
    assert.throws(
      () => {
        for (let i = 0; i < bytes.length; i += 1) bytewise.feed(bytes.subarray(i, i + 1), 1);
      },
      { code: "bad-handshake" },
    );
  });
}

test("WIR-2: a handshake that stops early yields only the fields that arrived", () => {
  const bytes = encodeHandshake(handshake);
  const decoder = new HandshakeDecoder();
  assert.equal(decoder.feed(bytes, 47), 47);
  assert.equal(decoder.infohash, undefined);
  assert.equal(decoder.flags, undefined);
  assert.equal(decoder.feed(bytes.subarray(47), 1), 1);
  assert.deepEqual(decoder.infohash, handshake.infohash);
  assert.equal(decoder.peerId, undefined);
  assert.equal(decoder.feed(bytes.subarray(48), 19), 19);
  assert.equal(decoder.peerId, undefined);
  assert.equal(decoder.feed(bytes.subarray(67), 1), 1);
  assert.deepEqual(decoder.peerId, handshake.peerId);
});

test("BEP 3: a handshake, both ways", () => {
  const bytes = encodeHandshake(handshake);
  assert.equal(toHex(bytes), vectors.handshake.hex);
  assert.equal(bytes.length, HANDSHAKE_BYTES);
  const decoder = new HandshakeDecoder();
  decoder.feed(bytes, bytes.length);
  assert.deepEqual(decoder.flags, { extended: true, fast: true, dht: true, v2: true });
});

test("each flag has its own bit, and unknown bits are ignored", () => {
  for (const flag of ["extended", "fast", "dht", "v2"] as const) {
    const none = { extended: false, fast: false, dht: false, v2: false };
    const bytes = encodeHandshake({ ...handshake, ...none, [flag]: true });
    bytes[20] = 0x80;
    bytes[27]! |= 0x02 | 0x08;
    const decoder = new HandshakeDecoder();
    decoder.feed(bytes, bytes.length);
    assert.deepEqual(decoder.flags, { ...none, [flag]: true });
  }
});

test("bytes after the handshake in the same chunk are not consumed", () => {
  const chunk = new Uint8Array(100);
  chunk.set(encodeHandshake(handshake));
  const decoder = new HandshakeDecoder();
  assert.equal(decoder.feed(chunk, chunk.length), 68);
  assert.equal(decoder.feed(chunk.subarray(68), 32), 0);
});
