import assert from "node:assert/strict";
import { test } from "node:test";
import type { PeerStatus } from "../../src/engine/session-contract.ts";
import type { StreamDecorators } from "../../src/engine/stream-decorator.ts";
import { ENCRYPTION_MODES, type EncryptionMode } from "../../src/base/encryption-mode.ts";
import { streamEncryption } from "../../src/mse/stream-encryption.ts";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import { SimKeyExchange } from "../../src/sim/sim-key-exchange.ts";
import { isComplete, SimSwarm } from "../../src/sim/sim-swarm.ts";
import { encodeHandshake } from "../../src/wire/handshake.ts";
import { assertWhole, MIB, withSeed } from "./judging.ts";
import { FAST_LINK, hostOf, infohashOf } from "./scripted-peer.ts";

const PIECE = 64 * 1024;
const EXCHANGE = new SimKeyExchange();

function encrypting(swarm: SimSwarm, mode: EncryptionMode): StreamDecorators & { dials: number } {
  const random = seededRandom(swarm.random.below(2 ** 32));
  const clock = swarm.simulation;
  const made = streamEncryption({ mode, clock, random, keyExchange: EXCHANGE });
  const counting = {
    ...made,
    dials: 0,
    outgoing: (peer: Parameters<NonNullable<StreamDecorators["outgoing"]>>[0]) => {
      counting.dials += 1;
      return made.outgoing?.(peer);
    },
  };
  return counting;
}

/** Advances simulated time, and lets pending promises continue. */
async function pass(swarm: SimSwarm, ms: number, until = (): boolean => false): Promise<void> {
  for (let passed = 0; passed < ms && !until(); passed += 5) {
    swarm.simulation.runFor(5);
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  }
}

type Outcome = PeerStatus["encryption"] | "plain" | "never";

/** By the mode of the leecher, which dials, and of the seed. */
const OUTCOMES: Readonly<Record<EncryptionMode, Readonly<Record<EncryptionMode, Outcome>>>> = {
  prefer: { prefer: "header", require: "rc4", off: "plain" },
  require: { prefer: "rc4", require: "rc4", off: "never" },
  off: { prefer: "plain", require: "never", off: "plain" },
};

for (const dialling of ENCRYPTION_MODES) {
  for (const dialled of ENCRYPTION_MODES) {
    const outcome = OUTCOMES[dialling][dialled];
    test(
      `a leecher with ${dialling} dials a seed with ${dialled}: ${outcome}`,
      withSeed(411, async (seed) => {
        const swarm = new SimSwarm({ seed, size: 2 * MIB, pieceLength: PIECE });
        const decorators = encrypting(swarm, dialling);
        const first = await swarm.joinSeed({
          link: FAST_LINK,
          decorators: encrypting(swarm, dialled),
        });
        const second = await swarm.joinLeecher({ link: FAST_LINK, decorators });
        swarm.introduce([first, second]);
        const seen = new Set<Outcome>();
        const look = (): boolean => {
          for (const { run } of [first, second]) {
            for (const { encryption } of run.torrent.peers()) seen.add(encryption ?? "plain");
          }
          return isComplete(second);
        };
        await pass(swarm, 20_000, look);
        if (outcome === "never") {
          assert.equal(seen.size, 0);
          assert.ok(decorators.dials <= 4, "it waits between dials as after any failure");
          return;
        }
        assert.ok(isComplete(second));
        assertWhole(swarm, second);
        assert.deepEqual([...seen], [outcome], "both sides say the same");
        assert.equal(second.run.torrent.stats().downloaded, 2 * MIB);
        assert.equal(decorators.dials, outcome === "plain" && dialling === "prefer" ? 2 : 1);
        assert.ok(swarm.simulation.nowMs() < 5_000, "the other way was taken at once");
      }),
    );
  }
}

test(
  "a peer that was dialled encrypted in vain is dialled plainly when it is lost",
  withSeed(412, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 2 * MIB, pieceLength: PIECE });
    const decorators = encrypting(swarm, "prefer");
    const first = await swarm.joinSeed({ link: FAST_LINK });
    const second = await swarm.joinLeecher({
      link: { ...FAST_LINK, downBytesPerSecond: 64 * 1024 },
      decorators,
    });
    swarm.introduce([first, second]);
    await pass(swarm, 2_000, () => second.run.torrent.peers().length > 0);
    assert.equal(decorators.dials, 2);
    first.node.host.goOffline();
    first.node.host.goOnline();
    await pass(swarm, 30_000, () => decorators.dials > 2 && second.run.torrent.peers().length > 0);
    assert.equal(second.run.torrent.peers().length, 1);
    assert.equal(decorators.dials, 3, "no second attempt was needed");
  }),
);

test(
  "WIR-19: 400 peers that exchange keys and go on forever with a pad are closed; an honest one completes",
  withSeed(413, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 2 * MIB, pieceLength: PIECE });
    const settings = { connectionsMax: 1_000, connectionsPerNetworkMax: 500 };
    const first = await swarm.joinSeed({
      link: FAST_LINK,
      decorators: encrypting(swarm, "prefer"),
      settings: { ...settings, connectionsPerAddressMax: 500 },
    });
    const second = await swarm.joinLeecher({
      link: FAST_LINK,
      decorators: encrypting(swarm, "require"),
    });
    swarm.simulation.runFor(100);
    let closed = 0;
    const flooder = hostOf(swarm, 1);
    for (let number = 0; number < 400; number += 1) {
      const stream = flooder.dial(
        first.node.address,
        {
          handleOpen: () => stream.write(new Uint8Array(96 + 4_096).fill(3)),
          handleBytes: () => undefined,
          handleSent: () => undefined,
          handleClose: () => (closed += 1),
        },
        { timeoutMs: 10_000 },
      );
    }
    swarm.introduce([first, second]);
    await pass(swarm, 20_000, () => isComplete(second) && closed === 400);
    assert.ok(isComplete(second));
    assertWhole(swarm, second);
    assert.equal(closed, 400);
  }),
);

test(
  "a peer that sends its key byte by byte has the time of a handshake",
  withSeed(414, async (seed) => {
    const swarm = new SimSwarm({ seed, size: MIB, pieceLength: PIECE });
    const decorators = encrypting(swarm, "prefer");
    const first = await swarm.joinSeed({ link: FAST_LINK, decorators });
    let closedAtMs: number | undefined;
    const stream = hostOf(swarm, 1).dial(
      first.node.address,
      {
        handleOpen: () => undefined,
        handleBytes: () => undefined,
        handleSent: () => undefined,
        handleClose: () => (closedAtMs = swarm.simulation.nowMs()),
      },
      { timeoutMs: 10_000 },
    );
    for (let second = 0; second < 20 && closedAtMs === undefined; second += 1) {
      if (second > 0) stream.write(Uint8Array.of(7));
      await pass(swarm, 1_000);
    }
    assert.ok(closedAtMs !== undefined && closedAtMs >= 9_000 && closedAtMs <= 12_000);
  }),
);

test(
  "a plain peer that sends its handshake byte by byte is served where encryption is preferred",
  withSeed(415, async (seed) => {
    const swarm = new SimSwarm({ seed, size: MIB, pieceLength: PIECE });
    const decorators = encrypting(swarm, "prefer");
    const first = await swarm.joinSeed({ link: FAST_LINK, decorators });
    let answered = 0;
    const stream = hostOf(swarm, 1).dial(
      first.node.address,
      {
        handleOpen: () => undefined,
        handleBytes: (_chunk, length) => (answered += length),
        handleSent: () => undefined,
        handleClose: () => undefined,
      },
      { timeoutMs: 10_000 },
    );
    await pass(swarm, 50);
    const flags = { extended: false, fast: true, dht: false, v2: false };
    const peerId = new Uint8Array(20).fill(8);
    for (const byte of encodeHandshake({ ...flags, infohash: infohashOf(swarm), peerId })) {
      stream.write(Uint8Array.of(byte));
      await pass(swarm, 20);
    }
    await pass(swarm, 100);
    assert.ok(answered >= 68);
    assert.equal(first.run.torrent.peers()[0]?.encryption, undefined);
    assert.equal(first.run.torrent.peers().length, 1);
  }),
);
