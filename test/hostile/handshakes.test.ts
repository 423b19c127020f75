import assert from "node:assert/strict";
import { test } from "node:test";
import { streamEncryption } from "../../src/mse/stream-encryption.ts";
import { NodeClock } from "../../src/platform/node-clock.ts";
import { NodeKeyExchange } from "../../src/platform/node-key-exchange.ts";
import { NodeRandom } from "../../src/platform/node-random.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { KeyExchange } from "../../src/ports/key-exchange.ts";
import { floodHandshakes } from "../fixtures/handshake-flood.ts";
import { assertSame, leech, makeTorrent, startEngine, startSeed } from "./world.ts";

const MIB = 1024 * 1024;
/** As `mse/exchange-turns.ts` promises. */
const TURN_COMPUTATIONS = 8;

const NODE_CLOCK = new NodeClock();

/** Counts computations, in all and between two turns. */
class CountedExchange implements KeyExchange {
  readonly #lower = new NodeKeyExchange();
  count = 0;
  mostInTurn = 0;
  #inTurn = 0;

  publicKey(privateKey: Uint8Array): Uint8Array {
    this.#note();
    return this.#lower.publicKey(privateKey);
  }

  sharedSecret(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
    this.#note();
    return this.#lower.sharedSecret(privateKey, publicKey);
  }

  /** A turn begins with a timer. */
  readonly clock: Clock = {
    nowMs: () => NODE_CLOCK.nowMs(),
    wallMs: () => NODE_CLOCK.wallMs(),
    startTimer: (delayMs, fire) =>
      NODE_CLOCK.startTimer(delayMs, () => {
        this.#inTurn = 0;
        fire();
      }),
  };

  #note(): void {
    this.count += 1;
    this.#inTurn += 1;
    this.mostInTurn = Math.max(this.mostInTurn, this.#inTurn);
  }
}

test(
  "WIR-19: 400 handshakes at once, again and again: eight computations a turn, and a download goes on",
  { timeout: 60_000 },
  async (t) => {
    const made = await makeTorrent(t, { files: 8 * MIB });
    const exchange = new CountedExchange();
    const decorators = streamEncryption({
      mode: "prefer",
      clock: exchange.clock,
      random: new NodeRandom(),
      keyExchange: exchange,
    });
    const seeder = await startSeed(t, made, { decorators });
    const flood = floodHandshakes(seeder.endpoint);
    t.after(() => flood.end());
    while (flood.answered === 0) await new Promise(setImmediate);
    const subject = await startEngine(t);
    const download = leech(t, subject, made, { peers: [seeder.address] });
    await download.when("complete");
    flood.end();
    assertSame(made, download.root);
    assert.ok(exchange.count >= 2 * TURN_COMPUTATIONS, `${exchange.count} computations`);
    assert.ok(exchange.mostInTurn <= TURN_COMPUTATIONS, `${exchange.mostInTurn} in one turn`);
  },
);
