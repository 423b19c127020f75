import assert from "node:assert/strict";
import { test } from "node:test";
import { ratesAt, ratesNow, weekMoment } from "./rate-schedule.ts";

const RATES = { down: 1, up: 2 };
const NIGHT = { days: [6], begin: 22 * 60, end: 6 * 60 };
const alternative = { down: 10, up: 20, on: false, spans: [NIGHT] };

for (const [name, day, minute, isOther] of [
  ["before it", 6, 22 * 60 - 1, false],
  ["at its beginning", 6, 22 * 60, true],
  ["over midnight", 0, 0, true],
  ["until its end", 0, 6 * 60 - 1, true],
  ["at its end", 0, 6 * 60, false],
  ["in the night before", 6, 60, false],
] as const) {
  test(`the alternative rates hold on Saturday night: ${name}`, () => {
    const found = ratesAt({ rates: RATES, alternative }, { day, minute });
    assert.deepEqual(found, isOther ? { down: 10, up: 20 } : RATES);
  });
}

test("the alternative rates hold while they are switched on", () => {
  const on = { ...alternative, on: true, spans: [] };
  assert.deepEqual(ratesAt({ rates: RATES, alternative: on }, { day: 1, minute: 1 }), {
    down: 10,
    up: 20,
  });
});

test("a moment of the week is one of the owner's clock", () => {
  // A Thursday, 2026-01-01 00:30 in London.
  const wallMs = 1_767_225_600_000 + 30 * 60_000;
  assert.deepEqual(weekMoment(wallMs, "Europe/London"), { day: 4, minute: 30 });
  assert.deepEqual(weekMoment(wallMs, "America/New_York"), { day: 3, minute: 19 * 60 + 30 });
});

for (const [name, moment, isAlternative, until] of [
  [
    "before a span, until its beginning",
    { day: 5, minute: 600 },
    false,
    { day: 6, minute: 22 * 60 },
  ],
  [
    "in it, until its end on the next day",
    { day: 6, minute: 23 * 60 },
    true,
    { day: 0, minute: 360 },
  ],
  ["after it, until next week", { day: 0, minute: 360 }, false, { day: 6, minute: 22 * 60 }],
] as const) {
  test(`the rates that hold now say until when: ${name}`, () => {
    const now = ratesNow({ rates: RATES, alternative }, moment);
    assert.equal(now.isAlternative, isAlternative);
    assert.deepEqual(now.until, until);
  });
}

test("rates that no span changes hold without an end", () => {
  const always = [0, 1, 2, 3, 4, 5, 6];
  const moment = { day: 3, minute: 77 };
  const without = { ...alternative, spans: [] };
  assert.equal(ratesNow({ rates: RATES, alternative: without }, moment).until, undefined);
  const allWeek = { ...alternative, spans: [{ days: always, begin: 300, end: 300 }] };
  const now = ratesNow({ rates: RATES, alternative: allWeek }, moment);
  assert.deepEqual([now.isAlternative, now.until], [true, undefined]);
  const byHand = { ...alternative, on: true };
  assert.equal(ratesNow({ rates: RATES, alternative: byHand }, moment).until, undefined);
});
