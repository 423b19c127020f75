import assert from "node:assert/strict";
import { test } from "node:test";
import { SessionRates } from "./session-rates.ts";

test("the lower rate of settings and transfers holds, whichever changes, and 0 is no limit", () => {
  const values = new Map<string, number>();
  const listeners: (() => void)[] = [];
  const told: (number | undefined)[][] = [];
  const rates = new SessionRates(
    {
      live: <Value>(name: string) => {
        return () => (values.get(name) ?? 0) as Value;
      },
      whenChanged: (_name, apply) => void listeners.push(() => apply(0 as never)),
    },
    { setLimits: (limits) => told.push([limits.downBytesPerSecond, limits.upBytesPerSecond]) },
  );
  const choose = (down: number, up: number): void => {
    values.set("engine.downBytesPerSecond", down).set("engine.upBytesPerSecond", up);
    listeners.at(0)!();
  };
  choose(1_000, 0);
  rates.setOfTransfers({ downBytesPerSecond: 500, upBytesPerSecond: 70 });
  choose(400, 90);
  choose(0, 0);
  rates.setOfTransfers({ downBytesPerSecond: 0, upBytesPerSecond: 0 });
  assert.deepEqual(told, [
    [1_000, 0],
    [500, 70],
    [400, 70],
    [500, 70],
    [0, 0],
  ]);
  assert.equal(listeners.length, 2);
});
