import assert from "node:assert/strict";
import { test } from "node:test";
import { ratesAt, weekMoment } from "./rate-schedule.ts";

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
