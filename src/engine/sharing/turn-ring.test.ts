import assert from "node:assert/strict";
import { test } from "node:test";
import { Claim, type Supply, TurnRing } from "./turn-ring.ts";

/** A fixed number of units, until more are added. */
class Store implements Supply {
  units = 0;
  unitsMin = 1;
  quantumUnits = 4;

  available(): number {
    return this.units;
  }

  take(units: number): void {
    this.units -= units;
  }

  nextAvailable(now: number): number {
    return this.units >= this.unitsMin ? now : now + 10;
  }

  quantum(): number {
    return this.quantumUnits;
  }
}

/** Wants this many units, and takes up to `atOnce` of them at a time. */
class Taker {
  readonly claim: Claim;
  readonly #ring: TurnRing;
  wanted: number;
  taken = 0;
  atOnce = 1;

  constructor(ring: TurnRing, wanted: number) {
    this.#ring = ring;
    this.wanted = wanted;
    this.claim = new Claim(() => this.use());
  }

  use(): boolean {
    while (this.wanted > 0 && this.#ring.allowed(this.claim, 0) >= 1) {
      const units = Math.min(this.atOnce, this.wanted);
      this.#ring.take(this.claim, units, 0);
      this.wanted -= units;
      this.taken += units;
    }
    return this.wanted > 0;
  }

  /** As an event does: takes what is allowed, and waits for the rest. */
  ask(): void {
    if (this.use()) this.#ring.wait(this.claim);
  }
}

function world(takers: number, wanted = Number.POSITIVE_INFINITY) {
  const store = new Store();
  const ring = new TurnRing(store);
  return {
    store,
    ring,
    takers: Array.from({ length: takers }, () => new Taker(ring, wanted)),
  };
}

function pour(store: Store, ring: TurnRing, units: number): void {
  store.units += units;
  ring.run(0);
}

test("alone, a claim takes whatever is available", () => {
  const { store, ring, takers } = world(1);
  store.units = 100;
  takers[0]!.ask();
  assert.equal(takers[0]!.taken, 100);
  pour(store, ring, 1000);
  assert.equal(takers[0]!.taken, 1100);
});

test("claims that wait get equal shares, whatever is supplied and whichever asks most", () => {
  const { store, ring, takers } = world(12);
  for (const taker of takers) taker.ask();
  for (let i = 0; i < 600; i += 1) {
    takers[0]!.ask();
    pour(store, ring, 1 + (i % 7));
  }
  const taken = takers.map((taker) => taker.taken);
  const poured = taken.reduce((sum, units) => sum + units, 0);
  assert.equal(poured, 2395, "nothing is left over");
  assert.ok(Math.max(...taken) - Math.min(...taken) <= 4 + 1, taken.join(" "));
});

test("a claim that takes more at once than a turn is worth is skipped until that is paid", () => {
  const { store, ring, takers } = world(2);
  takers[0]!.atOnce = 10;
  for (const taker of takers) taker.ask();
  for (let i = 0; i < 400; i += 1) pour(store, ring, 3);
  const [big, small] = takers;
  assert.ok(Math.abs(big!.taken - small!.taken) <= 4 + 10, `${big!.taken} ${small!.taken}`);
});

test("a turn that ends early for lack of units continues with the next ones", () => {
  const { store, ring, takers } = world(2);
  for (const taker of takers) taker.ask();
  for (let i = 0; i < 4; i += 1) pour(store, ring, 1);
  assert.deepEqual(
    takers.map(({ taken }) => taken),
    [4, 0],
  );
  pour(store, ring, 4);
  assert.deepEqual(
    takers.map(({ taken }) => taken),
    [4, 4],
  );
});

test("a satisfied claim leaves the ring, and starts afresh: nothing is saved up", () => {
  const { store, ring, takers } = world(2, 6);
  for (const taker of takers) taker.ask();
  pour(store, ring, 100);
  assert.deepEqual(
    takers.map(({ taken }) => taken),
    [6, 6],
  );
  assert.ok(ring.isEmpty);
  assert.equal(ring.nextTurnAtMs(5), Number.POSITIVE_INFINITY);
  assert.equal(takers[0]!.claim.credit, 0);
});

test("no claim overtakes those that wait", () => {
  const { store, ring, takers } = world(3);
  takers[0]!.ask();
  takers[1]!.ask();
  store.units = 50;
  assert.equal(ring.allowed(takers[2]!.claim, 0), 0);
  takers[2]!.ask();
  assert.equal(takers[2]!.taken, 0);
  ring.run(0);
  assert.ok(
    takers.every(({ taken }) => taken >= 16),
    takers.map(({ taken }) => taken).join(" "),
  );
});

test("a claim that cannot use its turn delays no other, and the run ends", () => {
  const { store, ring, takers } = world(2);
  const idle = new Claim(() => true);
  ring.wait(idle);
  takers[0]!.ask();
  pour(store, ring, 20);
  assert.equal(takers[0]!.taken, 20);
  ring.leave(takers[0]!.claim);
  pour(store, ring, 20);
  assert.equal(store.units, 20);
});

test("a claim that leaves in the middle of the ring, or in its own turn, changes nothing for the others", () => {
  const { store, ring, takers } = world(20);
  for (const taker of takers) taker.ask();
  ring.leave(takers[7]!.claim);
  const leaving = new Claim(() => {
    ring.leave(leaving);
    return true;
  });
  ring.wait(leaving);
  for (let i = 0; i < 190; i += 1) pour(store, ring, 4);
  assert.equal(takers[7]!.taken, 0);
  const others = takers.filter((_, index) => index !== 7).map(({ taken }) => taken);
  assert.ok(Math.max(...others) - Math.min(...others) <= 4, others.join(" "));
});

test("without a limit no claim waits", () => {
  const { store, ring, takers } = world(2, 5);
  store.units = Number.POSITIVE_INFINITY;
  for (const taker of takers) taker.ask();
  assert.deepEqual(
    takers.map(({ taken }) => taken),
    [5, 5],
  );
  assert.ok(ring.isEmpty);
});
