import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeUtf8 } from "../base/bytes.ts";
import { serverEvents } from "./server-events.ts";

async function* inChunks(text: string, bytes: number): AsyncIterable<Uint8Array> {
  const all = encodeUtf8(text);
  for (let at = 0; at < all.length; at += bytes) yield all.subarray(at, at + bytes);
}

const TEXT =
  'event: ready\ndata: {}\n\n: still here\n\nevent: transfers\ndata: {"name":"Gr\u00fc\u00dfe: 1"}\n\ndata: a\ndata:b\n\nevent: cut off\ndata: never';

for (const bytes of [1, 3, 1_000]) {
  test(`events in chunks of ${bytes} bytes: characters are not cut, comments and a torn end are no events`, async () => {
    assert.deepEqual(await Array.fromAsync(serverEvents(inChunks(TEXT, bytes), 1_000)), [
      { event: "ready", data: "{}" },
      { event: "transfers", data: '{"name":"Gr\u00fc\u00dfe: 1"}' },
      { event: "message", data: "a\nb" },
    ]);
  });
}

test("an event without end is no reason to fill the memory", async () => {
  const endless = inChunks(`data: ${"x".repeat(5_000)}`, 100);
  await assert.rejects(Array.fromAsync(serverEvents(endless, 1_000)), RangeError);
});
