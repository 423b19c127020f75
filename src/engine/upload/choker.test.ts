import assert from "node:assert/strict";
import { test } from "node:test";
import { SlotClaim, SlotShares } from "../sharing/slot-shares.ts";
import { Choker } from "./choker.ts";
import { seededRandom } from "../../sim/seeded-random.ts";

interface TestPeer {
  readonly name: string;
  readonly connectedAtMs: number;
  peerInterested: boolean;
  amChoking: boolean;
  snubbed: boolean;
  isHeldBack?: boolean;
  uploaded: number;
  downloaded: number;
  /** Bytes a second it gives us, whether choked or not. */
  gives: number;
  /** Bytes a second it takes while it is unchoked. */
  takes: number;
  turns: number;
}

function peerNamed(name: string, facts: Partial<TestPeer> = {}): TestPeer {
  return {
    name,
    connectedAtMs: 0,
    peerInterested: true,
    amChoking: true,
    snubbed: false,
    uploaded: 0,
    downloaded: 0,
    gives: 0,
    takes: 1000,
    turns: 0,
    ...facts,
  };
}

/** Second by second, peers give and take, and the choker decides when it is due, as in a torrent. */
class TestSwarm {
  readonly choker: Choker<TestPeer>;
  readonly #shares: SlotShares;
  readonly #claim = new SlotClaim();
  readonly peers: TestPeer[];
  readonly #seeding: boolean;
  readonly #limited: boolean;
  nowMs = 0;
  /** Times at which somebody was choked. */
  readonly chokedAtMs: number[] = [];

  constructor(options: {
    peers: TestPeer[];
    uploadSlots: number;
    seeding?: boolean;
    limited?: boolean;
    seed?: number;
  }) {
    this.peers = options.peers;
    this.#seeding = options.seeding ?? false;
    this.#limited = options.limited ?? true;
    const { uploadSlots } = options;
    this.choker = new Choker(seededRandom(options.seed ?? 1));
    this.#shares = new SlotShares({ uploadSlots, isLimited: () => false });
    this.decide();
  }

  decide(): void {
    const { peers, nowMs: now } = this;
    const limited = this.#limited;
    const demand = { ...this.choker.demand(peers, now), limited };
    const grant = this.#shares.ask(this.#claim, demand, now);
    const view = { peers, seeding: this.#seeding, limited, now, ...grant };
    const { choke, unchoke } = this.choker.decide(view);
    for (const peer of choke) {
      assert.ok(!peer.amChoking, "a choked peer is not choked again");
      peer.amChoking = true;
      this.chokedAtMs.push(this.nowMs);
    }
    for (const peer of unchoke) {
      assert.ok(peer.amChoking);
      peer.amChoking = false;
      peer.turns += 1;
    }
  }

  run(seconds: number): void {
    for (let i = 0; i < seconds; i += 1) {
      this.nowMs += 1000;
      for (const peer of this.peers) {
        peer.downloaded += peer.gives;
        if (!peer.amChoking && peer.peerInterested) peer.uploaded += peer.takes;
      }
      if (this.choker.due(this.nowMs)) this.decide();
    }
  }

  leave(peer: TestPeer): void {
    this.peers.splice(this.peers.indexOf(peer), 1);
    if (this.choker.gone(peer)) this.decide();
  }

  get served(): string[] {
    return this.peers
      .filter((peer) => !peer.amChoking && peer.peerInterested)
      .map((peer) => peer.name)
      .sort();
  }
}

function crowd(
  count: number,
  facts: (index: number) => Partial<TestPeer> = () => ({}),
): TestPeer[] {
  return Array.from({ length: count }, (_, index) => peerNamed(`p${index}`, facts(index)));
}

test("a peer that is not interested and gives nothing is not unchoked", () => {
  const swarm = new TestSwarm({
    peers: crowd(5, () => ({ peerInterested: false })),
    uploadSlots: 4,
  });
  swarm.run(60);
  assert.deepEqual(swarm.served, []);
  assert.ok(swarm.peers.every((peer) => peer.amChoking));
});

test("leeching: the peers that give most are served, and one more at random", () => {
  const swarm = new TestSwarm({
    peers: crowd(12, (index) => ({ gives: index * 1000 })),
    uploadSlots: 4,
  });
  swarm.run(45);
  assert.equal(swarm.served.length, 4);
  for (const best of ["p9", "p10", "p11"]) assert.ok(swarm.served.includes(best), best);
});

test("leeching: the random peer changes every 30 s, so that every peer gets a try (WIR-24)", () => {
  const swarm = new TestSwarm({
    peers: crowd(12, (index) => ({ gives: index < 3 ? 50_000 : 0 })),
    uploadSlots: 4,
  });
  swarm.run(10);
  const before = swarm.served;
  swarm.run(15);
  assert.deepEqual(swarm.served, before);
  swarm.run(3600);
  for (const peer of swarm.peers) assert.ok(peer.turns > 0, `${peer.name} had a try`);
});

test("leeching: a newcomer is three times as likely to be tried", () => {
  let newcomers = 0;
  let tries = 0;
  for (let seed = 1; seed <= 300; seed += 1) {
    const old = crowd(10, (index) => ({ gives: index < 2 ? 50_000 : 0, takes: 1000 }));
    const swarm = new TestSwarm({ peers: old, uploadSlots: 3, seed });
    swarm.run(89);
    for (let i = 0; i < 7; i += 1) {
      swarm.peers.push(peerNamed(`new${i}`, { connectedAtMs: swarm.nowMs }));
    }
    const before = new Set(swarm.served);
    swarm.run(3);
    for (const name of swarm.served) {
      if (before.has(name)) continue;
      tries += 1;
      if (name.startsWith("new")) newcomers += 1;
    }
  }
  // 7 old peers that are not being tried have weight 1, 7 new ones weight 3.
  const share = newcomers / tries;
  assert.ok(share > 0.68 && share < 0.82, `${share} of ${tries}`);
});

test("leeching: a peer that snubs us keeps no slot while others want one", () => {
  const peers = crowd(8, (index) => ({ gives: 1000 + index }));
  const swarm = new TestSwarm({ peers, uploadSlots: 4 });
  swarm.run(25);
  const best = peers[7]!;
  assert.equal(best.amChoking, false);
  best.snubbed = true;
  let servedSeconds = 0;
  for (let i = 0; i < 900; i += 1) {
    swarm.run(1);
    if (!best.amChoking) servedSeconds += 1;
  }
  assert.ok(servedSeconds > 0 && servedSeconds < 360, `served for ${servedSeconds} of 900 s`);
});

test("leeching: a good peer that is not interested is let in without a slot", () => {
  const peers = crowd(6, (index) => ({ gives: index * 1000 }));
  peers[5]!.peerInterested = false;
  const swarm = new TestSwarm({ peers, uploadSlots: 3 });
  swarm.run(25);
  assert.equal(peers[5]!.amChoking, false);
  assert.equal(swarm.served.length, 3);
});

test("peers are choked only in rounds of 10 s, and equal ones are not swapped (fibrillation)", () => {
  const swarm = new TestSwarm({ peers: crowd(20, () => ({ gives: 5000 })), uploadSlots: 5 });
  swarm.run(600);
  assert.ok(swarm.chokedAtMs.every((at) => at % 10_000 === 0));
  // Only the optimistic unchoke changes: at most one peer every 30 s.
  assert.ok(swarm.chokedAtMs.length <= 20, `${swarm.chokedAtMs.length} chokes in 10 minutes`);
});

/** Rounds with the given slots; the peer that gives most comes first. @returns The peers served in each round. */
function roundsWith(slots: readonly number[], peers: TestPeer[], seeding = false): string[] {
  const choker = new Choker<TestPeer>(seededRandom(3));
  return slots.map((count, index) => {
    const now = (index + 1) * 10_000;
    for (const peer of peers) {
      peer.downloaded += peer.gives * 10;
      if (!peer.amChoking) peer.uploaded += peer.takes;
    }
    const grant = { slots: count, round: index + 1, shared: true };
    const { choke, unchoke } = choker.decide({ peers, seeding, now, limited: true, ...grant });
    for (const peer of choke) peer.amChoking = true;
    for (const peer of unchoke) peer.amChoking = false;
    const served = peers.filter((peer) => !peer.amChoking);
    return served.map(({ name }) => name).join(" ");
  });
}

test("leeching with one slot: two rounds for the best giver, one for a random peer", () => {
  const peers = crowd(6, (index) => ({ gives: (6 - index) * 1000 }));
  const served = roundsWith(
    Array.from({ length: 60 }, () => 1),
    peers,
  );
  const tried = new Set<string>();
  // Before the first round we have not seen any peer give.
  for (const [index, name] of served.entries()) {
    if (index === 0) continue;
    if (index % 3 < 2) assert.equal(name, "p0", `round ${index}`);
    else tried.add(name);
  }
  assert.deepEqual([...tried].sort(), ["p1", "p2", "p3", "p4", "p5"]);
});

test("leeching with one slot: when nobody gives anything, all peers are tried", () => {
  const served = roundsWith(
    Array.from({ length: 100 }, () => 1),
    crowd(4),
  );
  assert.deepEqual([...new Set(served)].sort(), ["p0", "p1", "p2", "p3"]);
});

for (const seeding of [false, true]) {
  test(`without a slot no peer is served, ${seeding ? "seeding" : "leeching"}`, () => {
    const peers = crowd(5, () => ({ gives: 1000 }));
    const served = roundsWith([3, 0, 0, 2], peers, seeding);
    assert.deepEqual(
      served.map((names) => names.split(" ").filter(Boolean).length),
      [3, 0, 0, 2],
    );
  });
}

test("a peer whose blocks wait for our limit fills its slot, even when others want slots", () => {
  for (const isHeldBack of [false, true]) {
    const peers = crowd(6, () => ({ takes: 0, isHeldBack }));
    const served = roundsWith([2, 2, 2], peers, true);
    assert.equal(served.at(-1)!.split(" ").length, isHeldBack ? 2 : 4);
  }
});

for (const seeding of [false, true]) {
  const mode = seeding ? "seeding" : "leeching";

  test(`${mode}: a slot that becomes free is filled at once`, () => {
    const swarm = new TestSwarm({ peers: crowd(10), uploadSlots: 4, seeding });
    swarm.run(3);
    const [first] = swarm.peers.filter((peer) => !peer.amChoking);
    assert.equal(swarm.choker.hasFree, false);
    swarm.leave(first!);
    assert.equal(swarm.served.length, 4);
  });

  test(`${mode}: a peer that becomes interested while a slot is free does not wait`, () => {
    const swarm = new TestSwarm({ peers: crowd(2), uploadSlots: 4, seeding });
    swarm.run(13);
    assert.equal(swarm.choker.hasFree, true);
    const late = peerNamed("late", { connectedAtMs: swarm.nowMs });
    swarm.peers.push(late);
    swarm.decide();
    assert.equal(late.amChoking, false);
  });

  test(`${mode}: WIR-22: sixty that never read do not keep out an honest peer`, () => {
    const hogs = crowd(60, () => ({ takes: 0 }));
    const swarm = new TestSwarm({ peers: hogs, uploadSlots: 4, seeding });
    swarm.run(5);
    const honest = peerNamed("honest", { connectedAtMs: swarm.nowMs, gives: 100 });
    swarm.peers.push(honest);
    let servedSeconds = 0;
    for (let i = 0; i < 300; i += 1) {
      swarm.run(1);
      if (!honest.amChoking) servedSeconds += 1;
    }
    assert.ok(servedSeconds > 200, `served for ${servedSeconds} of 300 s`);
  });

  for (const [what, limited, trickle, waitsMax, unchokedMax] of [
    ["an idle line: the honest one behind sixty waits for seconds", false, 0, 6, 61],
    ["a line in use: as many are served as there are slots", false, 20_000, 120, 32],
    ["our own limit: what it holds back is nobody's fault", true, 0, 60, 32],
  ] as const) {
    test(`${mode}: WIR-22: ${what}`, () => {
      const takers = crowd(trickle > 0 ? 8 : 0, () => ({ takes: trickle, gives: 1 }));
      const peers = [...takers, ...crowd(60, () => ({ takes: 0 }))];
      const honest = peerNamed("honest", { takes: 100_000 });
      const swarm = new TestSwarm({ peers: [...peers, honest], uploadSlots: 8, seeding, limited });
      let waited = 0;
      while (honest.amChoking && waited < 120) {
        swarm.run(1);
        waited += 1;
        if (waited === 6) assert.ok(swarm.served.length <= unchokedMax, `${swarm.served.length}`);
      }
      assert.ok(waited <= waitsMax, `waited ${waited} s`);
    });
  }

  test(`${mode}: WIR-22: hogs that return as newcomers do not keep it out either`, () => {
    const swarm = new TestSwarm({
      peers: crowd(20, () => ({ takes: 0 })),
      uploadSlots: 4,
      seeding,
    });
    const honest = peerNamed("honest", { gives: 100 });
    swarm.peers.push(honest);
    let servedSeconds = 0;
    for (let i = 0; i < 300; i += 1) {
      const old = swarm.peers.find((peer) => peer !== honest)!;
      swarm.leave(old);
      swarm.peers.push(peerNamed(`again${i}`, { connectedAtMs: swarm.nowMs, takes: 0 }));
      swarm.run(1);
      if (!honest.amChoking) servedSeconds += 1;
    }
    assert.ok(servedSeconds > 150, `served for ${servedSeconds} of 300 s`);
  });

  test(`${mode}: slots are added while each upload is fast, up to a limit`, () => {
    const swarm = new TestSwarm({
      peers: crowd(40, () => ({ takes: 10_000_000 })),
      uploadSlots: 4,
      seeding,
      limited: false,
    });
    swarm.run(120);
    assert.equal(swarm.served.length, 16);
  });

  test(`${mode}: no slots are added when the line is slow, or a limit slows uploads down`, () => {
    for (const [takes, limited] of [
      [2500, false],
      [10_000_000, true],
    ] as const) {
      const peers = crowd(40, () => ({ takes }));
      const swarm = new TestSwarm({ peers, uploadSlots: 4, seeding, limited });
      swarm.run(120);
      assert.equal(swarm.served.length, 4);
    }
  });

  test(`${mode}: the same seed gives the same decisions`, () => {
    const runs = [1, 2].map(() => {
      const peers = crowd(30, (index) => ({ gives: (index * 7919) % 1000, takes: index * 100 }));
      const swarm = new TestSwarm({ peers, uploadSlots: 4, seeding, seed: 42 });
      swarm.run(600);
      return peers.map((peer) => [peer.turns, peer.uploaded]);
    });
    assert.deepEqual(runs[0], runs[1]);
  });
}

test("seeding: every leecher gets its turns, fast or slow", () => {
  const peers = crowd(12, (index) => ({ takes: 1000 + index * 1_000_000 }));
  const swarm = new TestSwarm({ peers, uploadSlots: 4, seeding: true });
  swarm.run(1200);
  assert.equal(swarm.served.length, 4);
  const turns = peers.map((peer) => peer.turns);
  assert.ok(Math.min(...turns) >= 10, turns.join(" "));
});

test("seeding: a turn lasts until the quota is sent or the time is over, not for one round", () => {
  const slow = crowd(8, () => ({ takes: 1000 }));
  const swarm = new TestSwarm({ peers: slow, uploadSlots: 4, seeding: true });
  swarm.run(55);
  assert.deepEqual(swarm.chokedAtMs, []);
  swarm.run(10);
  assert.equal(swarm.chokedAtMs.length, 4);
});

test("seeding: no peer is choked while none waits", () => {
  const swarm = new TestSwarm({
    peers: crowd(4, () => ({ takes: 5_000_000 })),
    uploadSlots: 4,
    seeding: true,
  });
  swarm.run(600);
  assert.deepEqual(swarm.chokedAtMs, []);
  assert.equal(swarm.served.length, 4);
});

test("a peer whose interest ends gives its slot up in the next round at the latest", () => {
  for (const seeding of [false, true]) {
    const swarm = new TestSwarm({ peers: crowd(5), uploadSlots: 4, seeding });
    swarm.run(12);
    swarm.peers.find((peer) => !peer.amChoking)!.peerInterested = false;
    swarm.run(2);
    assert.equal(swarm.served.length, 4);
  }
});
