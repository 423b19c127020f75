import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../ports/clock.ts";
import { SILENT_LOG } from "../ports/log.ts";
import { FailedSignIns } from "./failed-sign-ins.ts";

/** One timer that the test fires. */
function world() {
  const lines: string[] = [];
  let fire: (() => void) | undefined;
  const clock: Clock = {
    nowMs: () => 0,
    wallMs: () => 0,
    startTimer: (_delayMs, then) => {
      assert.equal(fire, undefined, "one timer at a time");
      fire = then;
      return { cancel: () => (fire = undefined) };
    },
  };
  const info = (message: string, fields?: unknown) =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  const failures = new FailedSignIns(clock, { ...SILENT_LOG, info });
  const take = () => lines.splice(0);
  return { failures, take, endPeriod: () => fire?.(), isWaiting: () => fire !== undefined };
}

const why = "wrong name or password";

test("HUB-9: a failed sign-in is one line with the address; the name only when it is a possible one", () => {
  const { failures, take, endPeriod, isWaiting } = world();
  failures.handle({ address: "192.0.2.1", name: "ann", why });
  failures.handle({ address: "2001:db8::1", name: "my secret pass phrase\nerror: root", why });
  failures.handle({ address: "", why });
  assert.deepEqual(take(), [
    `a sign-in failed {"address":"192.0.2.1","why":"${why}","name":"ann"}`,
    `a sign-in failed {"address":"2001:db8::1","why":"${why}","nameCharacters":33}`,
    `a sign-in failed {"address":"unknown","why":"${why}"}`,
  ]);
  endPeriod();
  assert.deepEqual(take(), [], "no line was left out");
  assert.equal(isWaiting(), false);
});

test("HUB-9: a thousand failed sign-ins give few lines and a count, from one address or a thousand", () => {
  const { failures, take, endPeriod, isWaiting } = world();
  for (let index = 0; index < 1_000; index += 1) failures.handle({ address: "192.0.2.1", why });
  failures.handle({ address: "192.0.2.2", why });
  const lines = take();
  assert.equal(lines.length, 4, "another address has its line");
  assert.match(lines[3]!, /192\.0\.2\.2/);
  endPeriod();
  assert.deepEqual(take(), ['more sign-ins failed in the last minute {"count":997}']);
  for (let index = 0; index < 1_000; index += 1) {
    failures.handle({ address: `198.51.${index >> 8}.${index & 255}`, why });
  }
  assert.equal(take().length, 30);
  endPeriod();
  assert.deepEqual(take(), ['more sign-ins failed in the last minute {"count":970}']);
  failures.handle({ address: "192.0.2.1", why });
  assert.equal(take().length, 1, "the next minute has lines of its own");
  for (let index = 0; index < 5; index += 1) failures.handle({ address: "192.0.2.1", why });
  failures.close();
  assert.match(take().at(-1)!, /"count":3/, "the rest is reported at the end");
  failures.handle({ address: "192.0.2.1", why });
  assert.equal(isWaiting(), false);
});

test("HUB-9: all addresses of an IPv6 /64 share the lines of one address", () => {
  const { failures, take } = world();
  for (let index = 0; index < 20; index += 1) {
    failures.handle({ address: `2001:db8::${index.toString(16)}`, why });
  }
  failures.handle({ address: "2001:db8:0:1::1", why });
  assert.equal(take().length, 4);
  failures.close();
});
