import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { type SimPeer, SimSwarm } from "../../src/sim/sim-swarm.ts";
import { MIB, withSeed } from "./judging.ts";
import { runUntil, settled, SimReader } from "./reading.ts";

// Readers in a running download: `EngineTorrent.read`.

const KIB = 1024;
const SIZE = 32 * MIB;
const PIECE = 256 * KIB;
/** Together the seeds have the upload rate of a slow home connection. */
const SEEDS = 10;
const SEED_BYTES_PER_SECOND = 82 * KIB;
/** The seeds have about two and a half seconds of data in their sockets, which cannot be taken back. */
const PATIENCE_MS = 4_000;
const READ_MS = 25_000;

interface Slow {
  readonly swarm: SimSwarm;
  readonly seeds: readonly SimPeer[];
  readonly leecher: SimPeer;
  downloaded(): number;
}

/** A download that has run for twelve seconds, from ten slow seeds. */
async function slowSwarm(seed: number, options: { kind?: "v1" | "v2" } = {}): Promise<Slow> {
  const swarm = new SimSwarm({ seed, size: SIZE, pieceLength: PIECE, kind: options.kind });
  const seeds: SimPeer[] = [];
  for (let i = 0; i < SEEDS; i += 1) {
    const link = { upBytesPerSecond: SEED_BYTES_PER_SECOND, latencyMs: 15 + 10 * i };
    seeds.push(await swarm.joinSeed({ link }));
  }
  const leecher = await swarm.joinLeecher();
  swarm.introduce([...seeds, leecher]);
  swarm.simulation.runFor(12_000);
  return { swarm, seeds, leecher, downloaded: () => leecher.run.torrent.stats().downloaded };
}

/** A reader that needs `kibPerSecond` from a position on, starting some seconds after it asks. */
function play({ swarm, leecher }: Slow, beginMib: number, kibPerSecond: number): Playing {
  const deadline = swarm.simulation.nowMs() + PATIENCE_MS;
  const bytesPerSecond = kibPerSecond * KIB;
  const begin = beginMib * MIB;
  const end = begin + bytesPerSecond * ((READ_MS - PATIENCE_MS) / 1_000);
  const reader = new SimReader(swarm, leecher, { begin, end }, { deadline, bytesPerSecond });
  return { reader, late: () => reader.lateShare(deadline, bytesPerSecond) };
}

interface Playing {
  readonly reader: SimReader;
  readonly late: () => number;
}

function tell(t: TestContext, slow: Slow, readers: readonly Playing[]): void {
  for (const { reader, late } of readers) {
    const firstMs = (reader.parts[0]?.atMs ?? Number.NaN) - slow.swarm.simulation.nowMs() + READ_MS;
    const got = ((reader.offset - reader.begin) / MIB).toFixed(1);
    t.diagnostic(
      `first bytes after ${firstMs} ms, ${got} MiB, ${(late() * 100).toFixed(1)} % late`,
    );
  }
  t.diagnostic(`in all ${(slow.downloaded() / MIB).toFixed(2)} MiB`);
}

/** The bytes are those of the content, in order. */
function assertRead({ made }: SimSwarm, reader: SimReader): void {
  assert.equal(reader.error, undefined);
  assert.ok(reader.isDone, `${reader.offset - reader.begin} of ${reader.bytes.length} bytes came`);
  const { begin, bytes } = reader;
  const expected = made.bytes.subarray(begin, begin + bytes.length);
  assert.ok(Buffer.compare(bytes, expected) === 0, "every byte is right");
}

/** How many pieces we have among those that no reader reads. */
function piecesBehind({ leecher }: Slow, readers: readonly SimReader[]): number {
  const isRead = (piece: number): boolean =>
    readers.some(
      ({ begin, bytes }) => (piece + 1) * PIECE > begin && piece * PIECE < begin + bytes.length,
    );
  return [...leecher.run.torrent.have!.indexes()].filter((piece) => !isRead(piece)).length;
}

test(
  "a reader on a slow swarm gets its bytes in order and in time, while rarest first continues behind it",
  withSeed(70, async (seed, t) => {
    const alone = await slowSwarm(seed);
    alone.swarm.simulation.runFor(READ_MS);
    const slow = await slowSwarm(seed);
    const playing = play(slow, 20, 300);
    const behind = piecesBehind(slow, [playing.reader]);
    await runUntil(slow.swarm, () => false, READ_MS);
    tell(t, slow, [playing]);
    assertRead(slow.swarm, playing.reader);
    assert.ok(playing.late() <= 0.01, `${playing.late()} late`);
    const grown = piecesBehind(slow, [playing.reader]) - behind;
    t.diagnostic(`${grown} other pieces meanwhile`);
    assert.ok(grown >= 20, `${grown} other pieces`);
    const share = slow.downloaded() / alone.downloaded();
    t.diagnostic(`${(share * 100).toFixed(1)} % of what comes without a reader`);
    assert.ok(share >= 0.98 && share <= 1.02, `${share} of what comes without a reader`);
  }),
);

test(
  "a reader that needs nearly all that the swarm can send is still in time",
  withSeed(71, async (seed, t) => {
    const slow = await slowSwarm(seed);
    const playing = play(slow, 12, 700);
    await runUntil(slow.swarm, () => false, READ_MS);
    tell(t, slow, [playing]);
    assertRead(slow.swarm, playing.reader);
    assert.ok(playing.late() <= 0.05, `${playing.late()} late`);
  }),
);

test(
  "two readers at two positions both get what they need in time",
  withSeed(72, async (seed, t) => {
    const slow = await slowSwarm(seed, { kind: "v2" });
    const both = [play(slow, 8, 300), play(slow, 22, 300)];
    await runUntil(slow.swarm, () => false, READ_MS);
    tell(t, slow, both);
    for (const { reader, late } of both) {
      assertRead(slow.swarm, reader);
      assert.ok(late() <= 0.05, `${late()} late`);
    }
  }),
);

test(
  "two readers without a pace share what arrives, even when one began long before the other",
  withSeed(73, async (seed, t) => {
    const slow = await slowSwarm(seed);
    const first = new SimReader(slow.swarm, slow.leecher, { begin: 0, end: SIZE });
    await runUntil(slow.swarm, () => false, 6_000);
    const firstBefore = first.offset;
    const second = new SimReader(slow.swarm, slow.leecher, { begin: 20 * MIB, end: SIZE });
    await runUntil(slow.swarm, () => false, 14_000);
    const got = [first.offset - firstBefore, second.offset - second.begin];
    t.diagnostic(`${got.map((bytes) => (bytes / MIB).toFixed(1)).join(" and ")} MiB`);
    assert.ok(
      Math.min(...got) > 3 * MIB && Math.max(...got) <= 1.7 * Math.min(...got),
      String(got),
    );
    first.abort.abort();
    second.abort.abort();
  }),
);

test(
  "blocks that silent seeds owe a reader are fetched from others in time",
  withSeed(74, async (seed, t) => {
    const slow = await slowSwarm(seed);
    const playing = play(slow, 12, 400);
    await runUntil(slow.swarm, () => false, 4_000);
    for (const { node } of slow.seeds.slice(0, 2)) node.disk.stuck = true;
    await runUntil(slow.swarm, () => false, READ_MS - 4_000);
    tell(t, slow, [playing]);
    assertRead(slow.swarm, playing.reader);
    assert.ok(playing.late() <= 0.05, `${playing.late()} late`);
  }),
);

test(
  "a cancelled reader frees its requests, and the next one does not wait for them",
  withSeed(75, async (seed, t) => {
    const slow = await slowSwarm(seed);
    const { swarm, leecher } = slow;
    for (let seek = 0; seek < 4; seek += 1) {
      const begin = (6 + 6 * seek) * MIB;
      const reader = new SimReader(swarm, leecher, { begin, end: begin + 2 * MIB });
      const beganMs = swarm.simulation.nowMs();
      assert.ok(await runUntil(swarm, () => reader.parts.length > 0, 10_000));
      const tookMs = swarm.simulation.nowMs() - beganMs;
      t.diagnostic(`first bytes after ${tookMs} ms`);
      assert.ok(tookMs <= 4_000, `seek ${seek} took ${tookMs} ms`);
      const reason = new Error("somewhere else");
      reader.abort.abort(reason);
      await settled();
      assert.equal(reader.error, reason, "what waits is told");
    }
  }),
);

test(
  "a read of an unwanted file fetches that range, nothing else, and nothing after it is cancelled",
  withSeed(76, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 8 * MIB });
    const link = { upBytesPerSecond: 256 * KIB };
    const seeds = [await swarm.joinSeed({ link }), await swarm.joinSeed({ link })];
    const node = await swarm.join();
    const leecher = { node, run: node.leech(swarm.made, { select: () => [false] }) };
    swarm.introduce([...seeds, leecher]);
    swarm.simulation.runFor(3_000);
    const { torrent } = leecher.run;
    assert.deepEqual([torrent.state.kind, torrent.have!.count], ["seeding", 0]);

    const range = { begin: 2 * MIB + 1_000, end: 2 * MIB + 200 * KIB };
    const reader = new SimReader(swarm, leecher, range);
    await settled();
    assert.equal(torrent.state.kind, "downloading");
    assert.ok(await runUntil(swarm, () => reader.isDone, 30_000), String(reader.error));
    assertRead(swarm, reader);
    await runUntil(swarm, () => false, 3_000);
    assert.deepEqual([...torrent.have!.indexes()], [32, 33, 34, 35]);
    assert.equal(torrent.state.kind, "seeding");

    const cancelled = new SimReader(swarm, leecher, { begin: 4 * MIB, end: 8 * MIB });
    assert.ok(await runUntil(swarm, () => cancelled.parts.length > 0, 30_000));
    cancelled.abort.abort();
    const stateNow = (): string => torrent.state.kind;
    assert.ok(await runUntil(swarm, () => stateNow() === "seeding", 1_000));
    swarm.simulation.runFor(1_500);
    const { downloaded } = torrent.stats();
    swarm.simulation.runFor(10_000);
    assert.equal(torrent.stats().downloaded, downloaded, "nothing comes any more");
    assert.equal(node.receiveSlabs.lentBytes, 0, "and no memory is held for it");
    const completions = leecher.run.events.filter(({ event }) => event.kind === "complete");
    assert.equal(completions.length, 1, "it was complete once: no file became wanted");
  }),
);

test(
  "WIR-12: a corrupt piece under a reader is fetched again",
  withSeed(77, async (seed, t) => {
    const slow = await slowSwarm(seed);
    for (const { node } of slow.seeds.slice(0, 2)) node.disk.lies = () => true;
    const playing = play(slow, 16, 200);
    await runUntil(slow.swarm, () => playing.reader.isDone, 90_000);
    t.diagnostic(`${(playing.late() * 100).toFixed(1)} % late`);
    assertRead(slow.swarm, playing.reader);
  }),
);

test(
  "WIR-14: a piece that is damaged on disk is fetched again for its reader",
  withSeed(78, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 4 * MIB });
    const damaged = await swarm.joinSeed();
    damaged.node.disk.damage("/content/content", 2 * MIB + 5);
    const good = await swarm.joinSeed();
    swarm.introduce([damaged, good]);
    swarm.simulation.runFor(1_000);
    damaged.run.torrent.addPeers([good.node.address]);
    const reader = new SimReader(swarm, damaged, { begin: MIB, end: 3 * MIB });
    assert.ok(await runUntil(swarm, () => reader.isDone, 60_000), String(reader.error));
    assertRead(swarm, reader);
    assert.ok(damaged.run.events.some(({ event }) => event.kind === "piece-lost"));
  }),
);

test(
  "a seed that must not touch its files reports a damaged piece",
  withSeed(79, async (seed) => {
    const swarm = new SimSwarm({ seed, size: MIB });
    const node = await swarm.join();
    const run = node.seed(swarm.made, { existing: "untouched" });
    node.disk.damage("/content/content", 300_000);
    const reader = new SimReader(swarm, { node, run }, { begin: 0, end: MIB });
    assert.ok(await runUntil(swarm, () => reader.error !== undefined, 10_000));
    assert.equal((reader.error as { code: string }).code, "not-fetched");
    assert.equal(reader.offset, 4 * 64 * KIB, "what comes before it was read");
  }),
);

test(
  "a read that begins before the torrent is open waits for it, and ends with the torrent",
  withSeed(80, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 4 * MIB });
    const leecher = await swarm.joinLeecher();
    const early = new SimReader(swarm, leecher, { begin: 0, end: MIB });
    const late = new SimReader(swarm, leecher, { begin: MIB, end: 4 * MIB });
    await settled();
    const first = await swarm.joinSeed({ link: { upBytesPerSecond: 512 * KIB } });
    swarm.simulation.runFor(100);
    leecher.run.torrent.addPeers([first.node.address]);
    assert.ok(await runUntil(swarm, () => early.isDone && late.parts.length > 0, 60_000));
    assertRead(swarm, early);
    const stopped = leecher.node.session.remove(leecher.run.torrent);
    await settled();
    assert.equal((late.error as { code: string }).code, "stopped");
    await runUntil(swarm, () => false, 3_000);
    await stopped;
    const after = new SimReader(swarm, leecher, { begin: 0, end: MIB });
    await settled();
    assert.equal((after.error as { code: string }).code, "stopped");
    assert.equal(leecher.node.sendSlabs.lentBytes + leecher.node.receiveSlabs.lentBytes, 0);
  }),
);

test(
  "many short reads at random positions, as of a mounted file, get the right bytes; too many at once are refused",
  withSeed(81, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 4 * MIB });
    const first = await swarm.joinSeed();
    const leecher = await swarm.joinLeecher();
    swarm.introduce([first, leecher]);
    const readers = Array.from({ length: 60 }, () => {
      const begin = swarm.random.below(4 * MIB - 64 * KIB);
      return new SimReader(swarm, leecher, { begin, end: begin + swarm.random.below(64 * KIB) });
    });
    assert.ok(await runUntil(swarm, () => readers.every(({ isDone }) => isDone), 60_000));
    for (const reader of readers) assertRead(swarm, reader);

    const node = await swarm.join();
    const alone = { node, run: node.leech(swarm.made) };
    swarm.simulation.runFor(1_000);
    const many = Array.from(
      { length: 65 },
      () => new SimReader(swarm, alone, { begin: 0, end: 9 }),
    );
    await settled();
    const codes = many.flatMap(({ error }) => (error ? [(error as { code: string }).code] : []));
    assert.deepEqual(codes, ["too-many-readers"]);
    for (const { abort } of many) abort.abort();
  }),
);

test(
  "an iterator refuses wrong requests, ends when the loop is left, and starts with its first next()",
  withSeed(82, async (seed) => {
    const swarm = new SimSwarm({ seed, size: MIB });
    const { run } = await swarm.joinSeed();
    swarm.simulation.runFor(100);
    const { torrent } = run;
    const codeOf = async (reading: AsyncIterable<Uint8Array>): Promise<unknown> => {
      const next = reading[Symbol.asyncIterator]().next();
      return next.then(
        ({ done }) => done,
        (error: { code: string }) => error.code,
      );
    };
    const bad: [number, { begin: number; end: number }][] = [
      [1, { begin: 0, end: 1 }],
      [-1, { begin: 0, end: 1 }],
      [0, { begin: -1, end: 1 }],
      [0, { begin: 2, end: 1 }],
      [0, { begin: 0, end: MIB + 1 }],
      [0, { begin: 0.5, end: 1 }],
    ];
    for (const [file, range] of bad) {
      assert.equal(await codeOf(torrent.read(file, range)), "bad-range", `${file} ${range.begin}`);
    }
    for (const bytesPerSecond of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.equal(await codeOf(torrent.read(0, undefined, { bytesPerSecond })), "bad-range");
    }
    assert.equal(await codeOf(torrent.read(0, { begin: 7, end: 7 })), true, "nothing is soon read");
    const signal = AbortSignal.abort(Object.assign(new Error("no"), { code: "aborted" }));
    assert.equal(await codeOf(torrent.read(0, undefined, { signal })), "aborted");

    const iterator = torrent.read(0)[Symbol.asyncIterator]();
    const first = iterator.next();
    await assert.rejects(iterator.next(), { code: "overlapping-read" });
    const returned = await iterator.return!();
    assert.equal(returned.done, true);
    assert.equal((await first).done, true, "what waits is answered at once");
    assert.equal((await iterator.next()).done, true);
  }),
);
