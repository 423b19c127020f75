import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../sim/seeded-random.ts";
import { ConnectionShares, type ConnectionSharer } from "./connection-shares.ts";

class Torrent implements ConnectionSharer {
  count: number;
  openCount: number;
  wants = true;

  constructor(count: number) {
    this.count = count;
    this.openCount = count;
  }

  wantsToDial(): boolean {
    return this.wants;
  }
}

/** Lets decisions happen for this many seconds. @returns Connections taken, by second. */
function run(
  shares: ConnectionShares<Torrent>,
  torrents: readonly Torrent[],
  options: { readonly fromMs?: number; readonly seconds: number; readonly answers?: boolean },
): number[] {
  const { fromMs = 0, seconds, answers = true } = options;
  const takenAtMs: number[] = [];
  for (let now = fromMs; now < fromMs + seconds * 1000; now += 500) {
    const take = shares.next(torrents, false, now);
    if (!take) continue;
    takenAtMs.push(now);
    shares.handleTaken(take, now);
    take.from.count -= 1;
    take.from.openCount -= 1;
    // An address that does not answer leaves the place to the torrent that had it.
    const next = answers ? take.to! : take.from;
    next.count += 1;
    next.openCount += 1;
  }
  return takenAtMs;
}

test("a torrent that comes late gets nearly as many as the first, one a second, and then no more are taken", () => {
  const shares = new ConnectionShares<Torrent>();
  const torrents = [new Torrent(200), new Torrent(0)];
  const takenAtMs = run(shares, torrents, { seconds: 300 });
  const [first, late] = torrents.map(({ count }) => count);
  assert.ok(first! > late! && first! <= 1.5 * late!, `${first} and ${late}`);
  assert.equal(takenAtMs.length, late, "no connection is taken twice");
  assert.ok(takenAtMs.every((at, index) => index === 0 || at - takenAtMs[index - 1]! >= 1_000));
  assert.deepEqual(run(shares, torrents, { fromMs: 300_000, seconds: 3_600 }), []);
});

test("nothing is taken for a torrent that has no address to dial", () => {
  const torrents = [new Torrent(200), new Torrent(0)];
  torrents[1]!.wants = false;
  assert.deepEqual(run(new ConnectionShares(), torrents, { seconds: 60 }), []);
});

test("a torrent whose addresses do not answer costs the others ever less", () => {
  const torrents = [new Torrent(200), new Torrent(0)];
  const takenAtMs = run(new ConnectionShares(), torrents, { seconds: 3_600, answers: false });
  assert.ok(takenAtMs.length <= 16, `${takenAtMs.length} taken in an hour`);
});

test("a peer that connects when all connections are in use makes the fullest torrent give one up", () => {
  const torrents = [new Torrent(200), new Torrent(1)];
  torrents[1]!.wants = false;
  const take = new ConnectionShares<Torrent>().next(torrents, true, 0);
  assert.deepEqual(take, { from: torrents[0], to: undefined });
});

test("a free place is not for the torrent that gave it up", () => {
  const shares = new ConnectionShares<Torrent>();
  const torrents = [new Torrent(200), new Torrent(0)];
  const [first, late] = torrents as [Torrent, Torrent];
  assert.ok(shares.mayFill(torrents, false, 0)(first));
  shares.handleTaken(shares.next(torrents, false, 0)!, 0);
  assert.equal(shares.mayFill(torrents, false, 500)(first), false);
  assert.ok(shares.mayFill(torrents, false, 500)(late));
  assert.ok(shares.mayFill(torrents, false, 1_000)(first));
  assert.equal(shares.mayFill(torrents, true, 1_000)(first), false, "not one of the last places");
  assert.ok(shares.mayFill(torrents, true, 1_000)(late));
});

test("whatever torrents have and want, taking ends, and no torrent gets back what it gave", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = seededRandom(seed);
    const shares = new ConnectionShares<Torrent>();
    const torrents = Array.from({ length: 2 + random.below(8) }, () => {
      const torrent = new Torrent(random.below(60));
      torrent.wants = random.below(3) > 0;
      return torrent;
    });
    const sum = torrents.reduce((total, { count }) => total + count, 0);
    const before = torrents.map(({ count }) => count);
    const takenAtMs = run(shares, torrents, { seconds: 600 });
    let gained = 0;
    for (const [index, { count }] of torrents.entries())
      gained += Math.max(0, count - before[index]!);
    assert.equal(takenAtMs.length, gained, `seed ${seed}: each take is a gain`);
    assert.equal(
      torrents.reduce((total, { count }) => total + count, 0),
      sum,
    );
    assert.deepEqual(run(shares, torrents, { fromMs: 600_000, seconds: 600 }), [], `seed ${seed}`);
  }
});
