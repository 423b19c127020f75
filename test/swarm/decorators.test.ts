import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  DecoratorStep,
  StreamDecorator,
  StreamDecorators,
} from "../../src/engine/stream-decorator.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { StreamConnection } from "../../src/ports/net.ts";
import { isComplete, type SimPeer, SimSwarm } from "../../src/sim/sim-swarm.ts";
import { encodeHandshake } from "../../src/wire/handshake.ts";
import { assertWhole, MIB, withSeed } from "./judging.ts";
import { FAST_LINK, hostOf, infohashOf } from "./scripted-peer.ts";
import { ToyDialler, ToyListener, ToyShare, type Work } from "./toy-decorators.ts";

const PIECE = 64 * 1024;

interface Sides {
  readonly seed?: StreamDecorators;
  readonly leecher?: StreamDecorators;
}

/** A seed, and a leecher that dials it. */
async function pair(seed: number, { seed: ours, leecher: theirs }: Sides, size = 2 * MIB) {
  const swarm = new SimSwarm({ seed, size, pieceLength: PIECE });
  const first = await swarm.joinSeed({ link: FAST_LINK, decorators: ours });
  const second = await swarm.joinLeecher({ link: FAST_LINK, decorators: theirs });
  swarm.introduce([first, second]);
  return { swarm, first, second };
}

/** Advances simulated time, and lets pending promises continue. */
async function pass(swarm: SimSwarm, ms: number, until = (): boolean => false): Promise<void> {
  for (let passed = 0; passed < ms && !until(); passed += 5) {
    swarm.simulation.runFor(5);
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  }
}

function handshakeFor(swarm: SimSwarm): Uint8Array {
  const flags = { extended: false, fast: true, dht: false, v2: false };
  const peerId = new Uint8Array(20).fill(8);
  return encodeHandshake({ ...flags, infohash: infohashOf(swarm), peerId });
}

async function completes(swarm: SimSwarm, peer: SimPeer): Promise<void> {
  await pass(swarm, 20_000, () => isComplete(peer));
  assert.ok(isComplete(peer), "it is complete");
  assertWhole(swarm, peer);
}

const listening = (work?: Work): StreamDecorators => {
  const here: Uint8Array[] = [];
  return {
    incoming: () => new ToyListener(here, work),
    handleInfohash: (infohash) => void here.push(infohash),
  };
};
const dialling = (encrypts?: boolean, work?: Work): StreamDecorators => ({
  outgoing: ({ infohash }) => new ToyDialler(infohash, encrypts, work),
});
const sharing = (secret: number): StreamDecorators => ({
  behindHandshake: ({ incoming }) => new ToyShare(secret, incoming),
});

for (const [name, sides] of Object.entries<Sides>({
  "changed before the handshake": { seed: listening(), leecher: dialling() },
  "negotiated before the handshake, and plain then": {
    seed: listening(),
    leecher: dialling(false),
  },
  "not decorated by the dialler": { seed: listening() },
  "changed behind the 68 bytes": { seed: sharing(3), leecher: sharing(3) },
  "changed before and behind": {
    seed: { ...listening(), ...sharing(3) },
    leecher: { ...dialling(), ...sharing(3) },
  },
})) {
  test(
    `a torrent completes over a stream that is ${name}; both sides count what was written`,
    withSeed(301, async (seed) => {
      const plain = await pair(seed, {});
      await completes(plain.swarm, plain.second);
      const { swarm, first, second } = await pair(seed, sides);
      await completes(swarm, second);
      assert.equal(first.run.torrent.stats().uploaded, 2 * MIB);
      assert.equal(second.run.torrent.stats().downloaded, 2 * MIB);
      const { lentBytes } = first.node.sendSlabs;
      assert.equal(lentBytes, plain.first.node.sendSlabs.lentBytes, "memory has come back");
      const onTheLine = first.node.host.sentBytes;
      assert.ok(onTheLine > 2 * MIB && onTheLine < 2.05 * MIB, `${onTheLine} bytes went out`);
    }),
  );
}

test(
  "a seed dials too: it completes the leecher that it found, with the decorators' roles swapped",
  withSeed(302, async (seed) => {
    const swarm = new SimSwarm({ seed, size: MIB, pieceLength: PIECE });
    const first = await swarm.joinSeed({ decorators: { ...dialling(), ...sharing(9) } });
    const second = await swarm.joinLeecher({ decorators: { ...listening(), ...sharing(9) } });
    swarm.introduce([second, first]);
    await completes(swarm, second);
  }),
);

test(
  "a decorator's work may take time: the torrent completes, and nothing is lost meanwhile",
  withSeed(303, async (seed) => {
    const later: { clock?: Clock } = {};
    const work: Work = () => new Promise((resolve) => void later.clock!.startTimer(2_000, resolve));
    const sides = { seed: listening(work), leecher: dialling(true, work) };
    const { swarm, first, second } = await pair(seed, sides);
    later.clock = swarm.simulation;
    await pass(swarm, 3_000);
    assert.equal(first.run.torrent.stats().peers, 0, "still at work");
    await completes(swarm, second);
  }),
);

test(
  "a decorator that never finishes has the time of a handshake, and is told of the end once",
  withSeed(304, async (seed) => {
    const diallers: ToyDialler[] = [];
    const never: Work = () => new Promise(() => undefined);
    const { swarm, first, second } = await pair(seed, {
      seed: listening(),
      leecher: {
        outgoing: ({ infohash }) => {
          const made = new ToyDialler(infohash, true, never);
          diallers.push(made);
          return made;
        },
      },
    });
    await pass(swarm, 9_000);
    assert.equal(diallers.length, 1);
    assert.equal(diallers[0]!.ended, 0);
    await pass(swarm, 2_000);
    assert.equal(diallers[0]!.ended, 1);
    assert.equal(second.run.torrent.stats().peers + first.run.torrent.stats().peers, 0);
  }),
);

for (const [name, sides] of Object.entries<Sides>({
  "the dialler is decorated before the handshake, the other is not": { leecher: dialling() },
  "the dialler is decorated behind the handshake, the other is not": { leecher: sharing(3) },
  "the other is decorated behind the handshake, the dialler is not": { seed: sharing(3) },
  "the two sides have different secrets": { seed: sharing(3), leecher: sharing(4) },
})) {
  test(
    `it ends cleanly when ${name}; a plain peer beside completes`,
    withSeed(305, async (seed) => {
      const { swarm, first, second } = await pair(seed, sides, MIB);
      await pass(swarm, 15_000);
      assert.equal(second.run.torrent.stats().downloaded, 0);
      assert.equal(first.run.torrent.stats().peers, 0);
      const like = await swarm.joinLeecher({ link: FAST_LINK, decorators: sides.seed });
      await pass(swarm, 200);
      like.run.torrent.addPeers([first.node.address]);
      await completes(swarm, like);
    }),
  );
}

test(
  "a peer that proves nothing after its handshake gets no byte; one that does gets the answer with it",
  withSeed(306, async (seed) => {
    const swarm = new SimSwarm({ seed, size: MIB, pieceLength: PIECE });
    const { node } = await swarm.joinSeed({ decorators: sharing(3) });
    swarm.simulation.runFor(100);
    const handshake = handshakeFor(swarm);
    const answers: number[] = [];
    const stream = hostOf(swarm, 1).dial(
      node.address,
      {
        handleOpen: () => stream.write(handshake.slice()),
        handleBytes: (_chunk, length) => void answers.push(length),
        handleSent: () => undefined,
        handleClose: () => undefined,
      },
      { timeoutMs: 1_000 },
    );
    swarm.simulation.runFor(1_000);
    assert.deepEqual(answers, []);
    stream.write(Uint8Array.of(3));
    swarm.simulation.runFor(1_000);
    assert.ok(answers[0]! >= 69, `${answers[0]} bytes`);
  }),
);

for (const [name, sides, from] of [
  ["before the handshake", { seed: listening(), leecher: dialling() }, 0],
  ["behind the 68 bytes", { seed: sharing(3), leecher: sharing(3) }, 68],
] as const) {
  test(
    `garbage in what a stream is wrapped in ${name} ends that peer and no other`,
    withSeed(307, async (seed) => {
      const { swarm, first, second } = await pair(seed, sides, 4 * MIB);
      const garbage = new Uint8Array(300).fill(0xee);
      const handshake = handshakeFor(swarm);
      let closed = 0;
      for (let i = 1; i <= 5; i += 1) {
        const stream = hostOf(swarm, i).dial(
          first.node.address,
          {
            handleOpen: () => {
              if (from > 0) stream.write(handshake.slice());
              // One byte, then the rest.
              stream.write(garbage.slice(0, i));
              stream.write(garbage.slice());
            },
            handleBytes: () => undefined,
            handleSent: () => undefined,
            handleClose: () => (closed += 1),
          },
          { timeoutMs: 1_000 },
        );
      }
      await completes(swarm, second);
      assert.equal(closed, 5);
    }),
  );
}

test(
  "a handshake may name no other torrent than the one its decorator negotiated",
  withSeed(308, async (seed) => {
    const other: StreamDecorator = {
      negotiate: (received): DecoratorStep =>
        received.length < 68
          ? { kind: "more", consumed: 0 }
          : { kind: "ready", consumed: 0, infohash: new Uint8Array(20).fill(1) },
    };
    const { swarm, first, second } = await pair(seed, { seed: { incoming: () => other } });
    await pass(swarm, 5_000);
    assert.equal(first.run.torrent.stats().peers, 0);
    assert.equal(second.run.torrent.stats().downloaded, 0);
  }),
);

test(
  "a decorator whose work fails ends its connection, and the log reports it",
  withSeed(309, async (seed) => {
    const work: Work = () => Promise.reject(new Error("no key"));
    const { swarm, first, second } = await pair(seed, {
      seed: listening(work),
      leecher: dialling(),
    });
    await pass(swarm, 5_000);
    assert.equal(first.run.torrent.stats().peers + second.run.torrent.stats().peers, 0);
  }),
);

test(
  "an endless negotiation is cut off",
  withSeed(310, async (seed) => {
    let most = 0;
    const endless: StreamDecorator = {
      negotiate: (received): DecoratorStep => {
        most = Math.max(most, received.length);
        return { kind: "more", consumed: 0 };
      },
    };
    const { swarm, first } = await pair(seed, { seed: { incoming: () => endless } });
    let closed = false;
    const stream = hostOf(swarm, 1).dial(
      first.node.address,
      {
        handleOpen: () => stream.write(new Uint8Array(MIB)),
        handleBytes: () => undefined,
        handleSent: () => undefined,
        handleClose: () => (closed = true),
      },
      { timeoutMs: 1_000 },
    );
    swarm.simulation.runFor(2_000);
    assert.ok(closed);
    assert.ok(most <= 256 * 1024, `${most} bytes were kept`);
  }),
);

test(
  "a decorated peer that reads slowly is still served; when it stops it is closed, and its memory is returned",
  withSeed(311, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 4 * MIB, pieceLength: PIECE });
    const sides = { ...listening(), ...dialling(), ...sharing(3) };
    const first = await swarm.joinSeed({ link: FAST_LINK, decorators: sides });
    const link = { ...FAST_LINK, readBytesPerSecond: 12_000 };
    const second = await swarm.joinLeecher({ link, decorators: sides });
    const { host } = second.node;
    const streams: StreamConnection[] = [];
    const dial = host.dial.bind(host);
    host.dial = (...call) => {
      const stream = dial(...call);
      streams.push(stream);
      return stream;
    };
    swarm.introduce([first, second]);
    for (let second = 0; second < 120; second += 1) {
      swarm.simulation.runFor(1_000);
      assert.equal(first.run.torrent.stats().peers, 1, `after ${second} s`);
    }
    const { downloaded } = second.run.torrent.stats();
    assert.ok(downloaded > 0.8 * 120 * 12_000, `${downloaded} bytes`);
    assert.equal(streams.length, 1);
    streams[0]!.pauseReading();
    const isGone = (): boolean => first.run.torrent.stats().peers === 0;
    assert.ok(swarm.simulation.runUntil(isGone, 60_000), "closed");
    host.goOffline();
    swarm.simulation.runFor(6_000);
    assert.equal(first.node.sendSlabs.lentBytes, 0);
  }),
);
