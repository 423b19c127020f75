import assert from "node:assert/strict";
import test from "node:test";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import { A, B, UtpWorld } from "./utp-world.ts";

const BAD_LINE = {
  bytesPerSecond: 1_000_000,
  delayMs: 20,
  queueBytes: 100_000,
  lossPerMille: 200,
  duplicatePerMille: 200,
  jitterMs: 15,
};
const BYTES = 300_000;

test("bytes arrive whole and in order both ways, over a line that loses, repeats and reorders a fifth", () => {
  for (let seed = 1; seed <= 25; seed += 1) {
    const world = new UtpWorld({ seed, there: BAD_LINE });
    // Strangers repeat old packets from another port of the same machine.
    const old: Uint8Array[] = [];
    let isRepeating = false;
    world.intercept = (bytes, from) => {
      if (isRepeating || world.random.below(20) > 0) return bytes;
      isRepeating = true;
      old.push(bytes.slice());
      const again = old[world.random.below(old.length)]!;
      world.send(again, { ...from, port: from.port + 1 }, from === A ? B : A);
      isRepeating = false;
      return bytes;
    };
    const flow = world.call(BYTES);
    const isDone = (): boolean => {
      const other = world.accepted[0];
      if (other && other.written === 0 && other.toWrite === 0) {
        other.toWrite = BYTES;
        other.pump();
      }
      return other?.received === BYTES && flow.received === BYTES;
    };
    assert.ok(world.simulation.runUntil(isDone, 600_000), `seed ${seed}: it takes too long`);
    const [other] = world.accepted;
    assert.equal(world.accepted.length, 1, `seed ${seed}`);
    assert.deepEqual([flow.wrongAt, other!.wrongAt], [undefined, undefined], `seed ${seed}`);
    assert.equal(flow.connection!.bufferedBytes, 0);
    flow.connection!.destroy();
    const isOver = (): boolean => world.a.count === 0 && world.b.count === 0;
    assert.ok(world.simulation.runUntil(isOver, 120_000), `seed ${seed}: it does not end`);
    assert.equal(flow.closed, undefined, "our own end is not told");
  }
});

test("numbers wrap around in the middle of a transfer", () => {
  const random = seededRandom(9);
  const numbers = [65_534, 65_530];
  const world = new UtpWorld({
    seed: 1,
    randomOfA: { ...random, below: (bound) => numbers.shift() ?? random.below(bound) },
    there: { ...BAD_LINE, lossPerMille: 50 },
  });
  world.call(200_000);
  assert.ok(world.runUntilReceived(200_000, 60_000));
  assert.equal(world.accepted[0]!.wrongAt, undefined);
});

test("a way that takes longer than the first wait is measured, and used", () => {
  const world = new UtpWorld({ seed: 12, there: { bytesPerSecond: Infinity, delayMs: 900 } });
  world.call(3_000_000);
  assert.ok(world.runUntilReceived(3_000_000, 40_000));
});

test("a call is one connection, however often its packets come", () => {
  const world = new UtpWorld({ seed: 2, there: { ...BAD_LINE, lossPerMille: 400 } });
  const flow = world.call(1000);
  assert.ok(world.runUntilReceived(1000, 60_000));
  world.simulation.runFor(10_000);
  assert.equal(world.accepted.length, 1);
  assert.ok(flow.isOpen);
});

test("events never happen inside a call of the owner", () => {
  const world = new UtpWorld({ seed: 3 });
  const flow = world.call(0);
  assert.ok(world.simulation.runUntil(() => flow.isOpen, 1000));
  let isInside = false;
  const sent: number[] = [];
  const counting = flow.connection!;
  flow.handleSent = (bytes?: number) => {
    assert.ok(!isInside);
    sent.push(bytes!);
  };
  isInside = true;
  counting.write(new Uint8Array(3000));
  assert.equal(counting.bufferedBytes, 3000);
  assert.equal(counting.unackedBytes(), 3000);
  isInside = false;
  world.simulation.runFor(100);
  assert.equal(
    sent.reduce((sum, bytes) => sum + bytes, 0),
    3000,
  );
  assert.equal(counting.bufferedBytes, 0);
  assert.equal(counting.unackedBytes(), 0);
});

test("a reader that pauses stops the sender at a window, and reads everything afterwards", () => {
  const bytes = 12_000_000;
  const world = new UtpWorld({ seed: 4, there: { bytesPerSecond: Infinity, delayMs: 5 } });
  const flow = world.call(bytes);
  assert.ok(world.runUntilReceived(100_000, 10_000));
  const [other] = world.accepted;
  other!.connection!.pauseReading();
  const paused = other!.received;
  world.simulation.runFor(20_000);
  assert.equal(other!.received, paused, "nothing is handed out");
  const ahead = flow.written - paused - flow.connection!.unackedBytes()!;
  assert.ok(ahead <= 4 * 1024 * 1024, `${ahead} bytes wait there`);
  const before = world.datagrams;
  world.simulation.runFor(60_000);
  assert.ok(world.datagrams - before < 500, "a sender without room only asks now and then");
  other!.connection!.resumeReading();
  assert.ok(world.runUntilReceived(bytes, 60_000));
  assert.equal(other!.wrongAt, undefined);
  assert.equal(flow.closed, undefined);
});

test("both ends may end at once, and each end is told of the other's", () => {
  const world = new UtpWorld({ seed: 5, there: BAD_LINE });
  const flow = world.call(1000);
  assert.ok(world.runUntilReceived(1000, 60_000));
  flow.connection!.destroy();
  world.accepted[0]!.connection!.destroy();
  assert.ok(world.simulation.runUntil(() => world.a.count + world.b.count === 0, 60_000));

  const second = new UtpWorld({ seed: 6, there: BAD_LINE });
  second.call(50_000);
  assert.ok(second.runUntilReceived(50_000, 60_000));
  const [other] = second.accepted;
  other!.connection!.destroy();
  assert.ok(second.simulation.runUntil(() => second.a.count + second.b.count === 0, 60_000));
  assert.equal(other!.closed, undefined);
});

test("what was on its way before the end still arrives", () => {
  const world = new UtpWorld({ seed: 7, there: { ...BAD_LINE, lossPerMille: 100 } });
  const flow = world.call(2000);
  assert.ok(
    world.simulation.runUntil(() => flow.connection!.bufferedBytes === 0 && flow.isOpen, 9000),
  );
  flow.connection!.destroy();
  assert.ok(world.simulation.runUntil(() => world.accepted[0]?.closed !== undefined, 60_000));
  assert.equal(world.accepted[0]!.received, 2000);
  assert.deepEqual(world.accepted[0]!.closed, { failure: undefined });
});

test("a refused call, a silent one and one that is reset end with their causes", () => {
  const refused = new UtpWorld({ seed: 8 });
  refused.refuses = true;
  const first = refused.call(100);
  assert.ok(refused.simulation.runUntil(() => first.closed !== undefined, 30_000));
  assert.equal(first.closed?.failure?.code, "ECONNRESET");

  const silent = new UtpWorld({ seed: 9 });
  silent.intercept = () => undefined;
  const second = silent.call(100);
  assert.ok(silent.simulation.runUntil(() => second.closed !== undefined, 30_000));
  assert.equal(second.closed?.failure?.code, "ETIMEDOUT");

  const gone = new UtpWorld({ seed: 10 });
  const third = gone.call(100);
  assert.ok(gone.runUntilReceived(100, 1000));
  gone.b.close();
  assert.ok(gone.simulation.runUntil(() => third.closed !== undefined, 30_000));
  assert.equal(third.closed?.failure?.code, "ECONNRESET");
  assert.equal(gone.a.count, 0);
});

test("a peer that vanishes is given up after a minute, and nothing is left", () => {
  const world = new UtpWorld({ seed: 11 });
  const flow = world.call(100_000_000);
  assert.ok(world.runUntilReceived(100_000, 10_000));
  world.intercept = () => undefined;
  assert.ok(world.simulation.runUntil(() => flow.closed !== undefined, 180_000));
  assert.equal(flow.closed?.failure?.code, "ETIMEDOUT");
  assert.equal(world.a.count, 0);
});
