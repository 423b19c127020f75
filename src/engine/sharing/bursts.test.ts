import assert from "node:assert/strict";
import { test } from "node:test";
import { BurstMark, type BurstMember, Bursts } from "./bursts.ts";

/** A member that records its calls. */
function member(log: string[], name: string, act: Partial<BurstMember> = {}): BurstMember {
  return {
    mark: new BurstMark(),
    settle: () => {
      log.push(`${name} settles`);
      act.settle?.();
    },
    tell: () => {
      log.push(`${name} tells`);
      act.tell?.();
    },
  };
}

test("decisions are carried out once at the end of the outermost burst, then the owner is told", () => {
  const log: string[] = [];
  const bursts = new Bursts();
  const a = member(log, "a");
  bursts.run(() => {
    bursts.tell(a);
    bursts.settle(a);
    bursts.run(() => bursts.settle(a));
    log.push("the burst ends");
  });
  assert.deepEqual(log, ["the burst ends", "a settles", "a tells"]);
});

test("what settling causes is carried out before any owner is told", () => {
  const log: string[] = [];
  const bursts = new Bursts();
  const b = member(log, "b");
  const a = member(log, "a", { settle: () => bursts.settle(b) });
  bursts.begin();
  bursts.tell(a);
  bursts.settle(a);
  bursts.end();
  assert.deepEqual(log, ["a settles", "b settles", "a tells"]);
});

test("an owner that is told may begin a burst: it is carried out after the owner's call returns", () => {
  const log: string[] = [];
  const bursts = new Bursts();
  const b = member(log, "b");
  const a = member(log, "a", {
    tell: () => {
      bursts.run(() => bursts.settle(b));
      bursts.tell(b);
      log.push("a is back");
    },
  });
  bursts.tell(a);
  assert.deepEqual(log, ["a tells", "a is back", "b settles", "b tells"]);
});

test("two members that answer each other for ever are our bug, and the next burst works", () => {
  const bursts = new Bursts();
  const a: BurstMember = {
    mark: new BurstMark(),
    settle: () => bursts.settle(b),
    tell: () => undefined,
  };
  const b: BurstMember = {
    mark: new BurstMark(),
    settle: () => bursts.settle(a),
    tell: () => undefined,
  };
  assert.throws(() => bursts.settle(a), /a burst comes to its end/);
  const log: string[] = [];
  a.settle = () => undefined;
  b.settle = () => undefined;
  bursts.settle(member(log, "c"));
  assert.deepEqual(log, ["c settles"]);
});

test("a burst that fails leaves the next one intact", () => {
  const log: string[] = [];
  const bursts = new Bursts();
  assert.throws(() => bursts.run(() => assert.fail("in the middle")), /in the middle/);
  bursts.run(() => bursts.settle(member(log, "a")));
  assert.deepEqual(log, ["a settles"]);
});
