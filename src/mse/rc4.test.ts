import assert from "node:assert/strict";
import { test } from "node:test";
import { fromLatin1, toHex } from "../base/bytes.ts";
import { Rc4 } from "./rc4.ts";
import { Rc4Cipher } from "./rc4-cipher.ts";
import { SentMemory } from "./sent-memory.ts";

const KEY = fromLatin1("Key");

test("the key streams are those of the published vectors", () => {
  assert.equal(toHex(new Rc4(KEY).keystream(8)), "eb9f7781b734ca72");
  assert.equal(toHex(new Rc4(fromLatin1("Wiki")).keystream(6)), "6044db6d41b7");
  assert.equal(toHex(new Rc4(fromLatin1("Secret")).keystream(8)), "04d46b053ca87b59");
});

test("runs of every length at every place in memory give what single bytes give", () => {
  const expected = new Rc4(KEY);
  const rc4 = new Rc4(KEY);
  const memory = new Uint8Array(600);
  for (const length of [0, 1, 64, 255, 256, 257, 258, 259, 260, 500]) {
    for (let offset = 0; offset < 4; offset += 1) {
      for (let shift = 0; shift < 4; shift += 1) {
        const bytes = memory.subarray(offset, offset + length).fill(length);
        const into = new Uint8Array(600).subarray(shift, shift + length);
        rc4.apply(bytes, into);
        const single = Uint8Array.from(bytes, (byte) => byte ^ expected.keystream(1)[0]!);
        assert.deepEqual(into, single);
      }
    }
  }
});

test("long runs give what single bytes give, whatever the state of the key stream", () => {
  for (let key = 1; key <= 40; key += 1) {
    const rc4 = new Rc4(Uint8Array.of(key, 255 - key, 7));
    const expected = new Rc4(Uint8Array.of(key, 255 - key, 7));
    const bytes = new Uint8Array(8_000);
    rc4.apply(bytes, bytes);
    assert.ok(bytes.every((byte) => byte === expected.keystream(1)[0]));
  }
});

test("memory of long parts is used again once it has left, and not before", () => {
  const memory = new SentMemory();
  const cipher = new Rc4Cipher({ outgoing: new Rc4(KEY), incoming: new Rc4(KEY) }, { memory });
  const part = new Uint8Array(65_536);
  const first = cipher.encode(part);
  const second = cipher.encode(part);
  assert.notEqual(first.buffer, second.buffer);
  cipher.handleLeft(first);
  // A short part is not worth it, and what comes of a longer buffer than ours is not taken.
  cipher.handleLeft(cipher.encode(part.subarray(0, 100)));
  cipher.handleLeft(new Uint8Array(100_000));
  const third = cipher.encode(part.subarray(3));
  assert.equal(third.buffer, first.buffer);
  assert.equal(third.length, 65_533);
  assert.notEqual(cipher.encode(part).buffer, first.buffer);
});

test("received bytes are decrypted where they lie, sent ones in memory of their own", () => {
  const [a, b] = [KEY, fromLatin1("Wiki")];
  const memory = new SentMemory();
  const here = new Rc4Cipher({ outgoing: new Rc4(a), incoming: new Rc4(b) }, { memory });
  const there = new Rc4Cipher({ outgoing: new Rc4(b), incoming: new Rc4(a) }, { memory });
  for (const offset of [0, 1, 2, 3]) {
    const lent = new Uint8Array(1_000).fill(7).subarray(offset);
    const encrypted = here.encode(lent);
    assert.ok(lent.every((byte) => byte === 7));
    assert.notDeepEqual(encrypted, lent);
    const chunk = new Uint8Array(2_000);
    chunk.set(encrypted);
    there.feed(chunk, encrypted.length);
    const received = there.next()!;
    assert.equal(received.buffer, chunk.buffer);
    assert.deepEqual(received, lent);
    assert.equal(there.next(), undefined);
    assert.equal(chunk[encrypted.length], 0, "bytes past the length stay");
  }
});
