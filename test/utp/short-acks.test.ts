import assert from "node:assert/strict";
import test from "node:test";
import { HEADER_BYTES, SACK_OFFSET } from "../../src/utp/packet.ts";
import { B, UtpWorld } from "./utp-world.ts";

const BYTES = 3_000_000;
const SACK_BYTES = 12;

/** What libtorrent 2.0.8 does: its selective acks tell of the next 97 packets at most. */
function withShortAck(bytes: Uint8Array): Uint8Array {
  const sackBytes = bytes[1] === 1 ? bytes[HEADER_BYTES + 1]! : 0;
  if (sackBytes <= SACK_BYTES) return bytes;
  const short = bytes.slice(0, SACK_OFFSET + SACK_BYTES);
  short[HEADER_BYTES + 1] = SACK_BYTES;
  return short;
}

test("a burst that a peer's buffer had no room for is made good in a moment, though its acks tell of few packets", () => {
  for (let seed = 1; seed <= 5; seed += 1) {
    const world = new UtpWorld({ seed, there: { bytesPerSecond: 20_000_000, delayMs: 4 } });
    let sent = 0;
    world.intercept = (bytes, from) => {
      if (from === B) return withShortAck(bytes);
      sent += 1;
      // The first of a window, and everything of its last part.
      return sent === 900 || (sent > 1000 && sent < 1300) ? undefined : bytes;
    };
    world.call(BYTES);
    assert.ok(world.runUntilReceived(BYTES, 1000 + seed), `seed ${seed}: it takes too long`);
  }
});
