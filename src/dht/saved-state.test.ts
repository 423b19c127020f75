import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeUtf8 } from "../base/bytes.ts";
import { type Family } from "./contact.ts";
import { decodeState, encodeState, SAVED_NODES_MAX, type SavedNode } from "./saved-state.ts";

const contact = (host: number) => ({
  id: new Uint8Array(20).fill(host),
  endpoint: { address: `11.0.0.${host % 256}`, port: 1 + host },
});

test("state is read as it was written", () => {
  const state = new Map<Family, SavedNode>([
    [4, { id: new Uint8Array(20).fill(1), outer: "55.1.2.3", contacts: [contact(1), contact(2)] }],
    [
      6,
      {
        id: new Uint8Array(20).fill(2),
        outer: undefined,
        contacts: [{ id: new Uint8Array(20), endpoint: { address: "2001:470::1", port: 9 } }],
      },
    ],
  ]);
  assert.deepEqual(decodeState(encodeState(state)), state);
});

test("a bounded number of nodes is kept", () => {
  const contacts = Array.from({ length: 300 }, (_, host) => contact(host));
  const saved = { id: new Uint8Array(20), outer: undefined, contacts };
  const read = decodeState(encodeState(new Map([[4, saved]])));
  assert.equal(read.get(4)!.contacts.length, SAVED_NODES_MAX);
});

test("other bytes are refused", () => {
  for (const text of ["", "i1e", "d4:ipv4i1ee", "d4:ipv4d2:id3:abc5:nodes0:ee", "d4:ipv4de"]) {
    assert.throws(() => decodeState(encodeUtf8(text)), { code: "bad-state" }, text);
  }
});
