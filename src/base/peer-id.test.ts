import assert from "node:assert/strict";
import { test } from "node:test";
import { fromLatin1, toLatin1 } from "./bytes.ts";
import { clientName, makePeerId } from "./peer-id.ts";

test("BEP 20: our peer id and the names of others", () => {
  const peerId = makePeerId(new Uint8Array(12).fill(0x61));
  assert.equal(toLatin1(peerId), "-EV0100-aaaaaaaaaaaa");
  for (const [text, name] of [
    ["-EV0100-aaaaaaaaaaaa", "Everseed 0.1"],
    ["-TR3000-aaaaaaaaaaaa", "Transmission 3.0"],
    ["-LT2080-aaaaaaaaaaaa", "libtorrent 2.0.8"],
    ["-qB45A1-aaaaaaaaaaaa", "qBittorrent 4.5.10.1"],
    ["-XX1234-aaaaaaaaaaaa", "XX 1.2.3.4"],
    ["A2-1-36-0-aaaaaaaaaa", "aria2"],
    ["\u0000\u0001\u001b[31maaaaaaaaaaaa", "unknown client"],
  ] as const) {
    assert.equal(clientName(fromLatin1(text)), name);
  }
});
