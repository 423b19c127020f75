import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../sim/seeded-random.ts";
import { SlotClaim, type SlotDemand, type SlotGrant, SlotShares } from "./slot-shares.ts";

const ROUND_MS = 10_000;

interface TestTorrent extends SlotDemand {
  readonly claim: SlotClaim;
  interested: number;
  uploads: number[];
  limited: boolean;
}

class TestSession {
  readonly shares: SlotShares;
  readonly torrents: TestTorrent[];
  nowMs = 0;

  constructor(uploadSlots: number, demands: readonly number[], limited = true) {
    this.shares = new SlotShares({ uploadSlots, isLimited: () => limited });
    this.torrents = demands.map((interested) => ({
      claim: new SlotClaim(),
      interested,
      uploads: [],
      limited,
    }));
    for (const torrent of this.torrents) this.ask(torrent);
  }

  ask(torrent: TestTorrent): SlotGrant {
    return this.shares.ask(torrent.claim, torrent, this.nowMs);
  }

  /** How many of its granted slots each torrent can use. */
  held(): number[] {
    return this.torrents.map((torrent) => Math.min(torrent.interested, this.ask(torrent).slots));
  }

  round(): number[] {
    this.nowMs += ROUND_MS;
    return this.held();
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

for (const [what, uploadSlots, demands, expected] of [
  ["some want less than their part: the others share the rest", 8, [20, 1, 3], [4, 1, 3]],
  ["a torrent that wants nothing holds nothing", 8, [20, 0, 20, 0], [4, 0, 4, 0]],
  [
    "many torrents: two each, one to reward and one to try",
    4,
    [9, 9, 9, 9, 9, 9],
    [2, 2, 2, 2, 2, 2],
  ],
  [
    "a minimum of two each is not kept from those that can use more",
    4,
    [9, 1, 1, 1, 1, 1],
    [7, 1, 1, 1, 1, 1],
  ],
  ["enough for all", 8, [3, 2, 1], [3, 2, 1]],
] as const) {
  test(`slots are filled like water: ${what}`, () => {
    const session = new TestSession(uploadSlots, demands);
    for (let rounds = 0; rounds < 5; rounds += 1) assert.deepEqual(session.round(), expected);
  });
}

test("a remainder is given in turn", () => {
  const session = new TestSession(8, [10, 10, 10]);
  const sums = [0, 0, 0];
  for (let rounds = 0; rounds < 3; rounds += 1) {
    const held = session.round();
    assert.deepEqual(
      held.toSorted((a, b) => a - b),
      [2, 3, 3],
    );
    for (const [index, slots] of held.entries()) sums[index]! += slots;
  }
  assert.deepEqual(sums, [8, 8, 8]);
});

test("with more torrents than slots each has its turn in torrents / slots rounds", () => {
  const session = new TestSession(
    4,
    Array.from({ length: 100 }, (_, index) => 1 + (index % 7)),
  );
  const turns = session.torrents.map(() => 0);
  for (let rounds = 1; rounds <= 25; rounds += 1) {
    const held = session.round();
    assert.equal(sum(held), 16);
    for (const [index, slots] of held.entries()) turns[index]! += slots;
    const most = Math.ceil((rounds * 16) / 100);
    assert.ok(Math.max(...turns) <= most && Math.min(...turns) >= most - 1, turns.join(" "));
  }
  assert.deepEqual([...new Set(turns)], [4]);
});

test("a round touches as many torrents as there are slots, not all of them", () => {
  const session = new TestSession(
    8,
    Array.from({ length: 5_000 }, () => 4),
  );
  let reads = 0;
  for (const { claim } of session.torrents) {
    let { demand } = claim;
    Object.defineProperty(claim, "demand", {
      get: () => {
        reads += 1;
        return demand;
      },
      set: (value: number) => {
        demand = value;
      },
    });
  }
  session.nowMs += ROUND_MS;
  session.ask(session.torrents[0]!);
  assert.ok(reads > 0 && reads < 100, `${reads} looks at the demand of torrents`);
});

test("between rounds no slot is taken away, and a free slot is given at once", () => {
  const session = new TestSession(8, [20, 3]);
  assert.deepEqual(session.round(), [5, 3]);
  session.torrents[1]!.interested = 20;
  assert.deepEqual(session.held(), [5, 3], "all are held until the next round");
  assert.deepEqual(session.round(), [4, 4]);
  session.torrents[0]!.interested = 1;
  assert.equal(session.ask(session.torrents[0]!).slots, 4, "any torrent may use its slots");
  assert.deepEqual(session.held(), [1, 7]);
});

test("a torrent with its first interested peer gets a slot at once if one is free, else in the next round", () => {
  const free = new TestSession(8, [3, 0]);
  free.round();
  free.torrents[1]!.interested = 1;
  assert.equal(Math.min(1, free.ask(free.torrents[1]!).slots), 1);

  const full = new TestSession(8, [20, 0]);
  full.round();
  full.torrents[1]!.interested = 1;
  assert.equal(full.ask(full.torrents[1]!).slots, 0);
  assert.deepEqual(full.round(), [7, 1]);

  const many = new TestSession(4, [9, 9, 9, 0]);
  many.round();
  many.torrents[3]!.interested = 9;
  assert.equal(many.ask(many.torrents[3]!).slots, 2, "a torrent more, two slots more");
});

test("a torrent that arrives while others wait for their turn is last", () => {
  const session = new TestSession(2, [...Array.from({ length: 16 }, () => 2), 0]);
  const late = session.torrents[16]!;
  assert.equal(sum(session.round()), 8);
  late.interested = 2;
  session.ask(late);
  assert.equal(session.round()[16], 0, "the other eight");
  assert.equal(session.round()[16], 1, "now it is the first");
});

test("a single torrent has all slots, whatever it asks for, and those that the line feeds", () => {
  const session = new TestSession(4, [1], false);
  const [torrent] = session.torrents as [TestTorrent];
  assert.equal(session.ask(torrent).slots, 4);
  torrent.interested = 40;
  for (const [uploads, slots] of [
    [Array.from({ length: 4 }, () => 5 * 2048), 5],
    [Array.from({ length: 4 }, () => 3 * 2048), 4],
    [Array.from({ length: 9 }, () => 9 * 2048), 10],
    [[1e9, 1e9, 1e9, 1e9, 2048], 5],
    [Array.from({ length: 40 }, () => 1e7), 16],
    [[], 4],
  ] as const) {
    torrent.uploads = [...uploads];
    assert.equal(session.ask(torrent).slots, slots, uploads.join(" "));
  }
  torrent.uploads = Array.from({ length: 40 }, () => 1e7);
  torrent.limited = true;
  assert.equal(session.ask(torrent).slots, 4, "its own limit holds it back");
  assert.equal(session.ask(torrent).shared, false);
});

test("growth that the uploads of one torrent earn is shared with the others", () => {
  const session = new TestSession(4, [40, 40], false);
  const [busy, slow] = session.torrents as [TestTorrent, TestTorrent];
  for (let rounds = 0; rounds < 12; rounds += 1) {
    const [mine, others] = session.round() as [number, number];
    busy.uploads = Array.from({ length: mine }, () => 1e7);
    slow.uploads = Array.from({ length: others }, () => 9.5 * 2048);
  }
  assert.deepEqual(session.round(), [5, 5]);
  slow.limited = true;
  session.shares.release(busy.claim);
  assert.equal(session.ask(slow).slots, 4, "growth is for torrents without a limit of their own");
});

test("lost growth is taken in equal parts, and no torrent loses everything by it", () => {
  const session = new TestSession(4, [40, 40], false);
  for (const torrent of session.torrents) torrent.uploads = Array.from({ length: 8 }, () => 1e7);
  session.held();
  assert.deepEqual(session.round(), [9, 8]);
  for (const torrent of session.torrents) torrent.uploads = [];
  assert.equal(sum(session.held()) >= 4, true);
  assert.deepEqual(session.held(), [2, 2]);
});

test("a torrent that is released leaves nothing behind", () => {
  const session = new TestSession(4, [9, 9], false);
  session.torrents[0]!.uploads = Array.from({ length: 30 }, () => 1e9);
  session.held();
  session.shares.release(session.torrents[0]!.claim);
  const [, other] = session.torrents as [TestTorrent, TestTorrent];
  assert.deepEqual(session.ask(other), { slots: 4, round: 1, shared: false });
  session.shares.release(other.claim);
  session.shares.release(other.claim);
  assert.equal(session.ask({ ...other, interested: 0 }).slots, 4);
});

test("in every case: no more slots are held than exist, and after a round no torrent has two less than another", () => {
  const random = seededRandom(9);
  for (let run = 0; run < 30; run += 1) {
    const session = new TestSession(
      2 + random.below(8),
      Array.from({ length: 1 + random.below(30) }, () => 0),
    );
    for (let step = 0; step < 200; step += 1) {
      const torrent = session.torrents[random.below(session.torrents.length)]!;
      torrent.interested = random.below(3) === 0 ? 0 : random.below(12);
      if (random.below(10) === 0) {
        torrent.interested = 0;
        session.shares.release(torrent.claim);
      } else session.ask(torrent);
      if (random.below(8) > 0) continue;
      const held = session.round();
      const wanting = session.torrents.filter(({ interested }) => interested > 0).length;
      const total = session.ask({
        claim: new SlotClaim(),
        interested: 0,
        uploads: [],
        limited: false,
      }).slots;
      assert.ok(
        sum(held) + total >=
          Math.min(sum(session.torrents.map((t) => t.interested)), 2 * wanting, 8),
      );
      const unmet = held.filter((slots, index) => slots < session.torrents[index]!.interested);
      if (unmet.length === 0) continue;
      assert.equal(total, 0, "no slot is free while a torrent wants more");
      assert.ok(Math.max(...held) - Math.min(...unmet) <= 1, held.join(" "));
    }
  }
});
