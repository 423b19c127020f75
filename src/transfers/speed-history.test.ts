import assert from "node:assert/strict";
import { test } from "node:test";
import type { SettingsStore } from "./transfer-settings.ts";
import { SPEED_SPANS, SpeedHistory } from "./speed-history.ts";

const DAY_MS = 86_400_000;
/** The beginning of a slot of every span. */
const NOON = 20_000 * DAY_MS;

function memoryStore(): SettingsStore & { readonly kept: Map<string, unknown> } {
  const kept = new Map<string, unknown>();
  return {
    kept,
    // What was set under a key has the type of that key.
    get: async <Value>(key: string) => kept.get(key) as Value | undefined,
    set: async (key: string, value: unknown) => void kept.set(key, value),
  } as SettingsStore & { readonly kept: Map<string, unknown> };
}

/** Bytes at a steady rate, counted once a second. */
function move(
  history: SpeedHistory,
  id: string,
  { fromMs, seconds, rate }: { fromMs: number; seconds: number; rate: number },
): void {
  for (let second = 0; second <= seconds; second += 1) {
    const downloaded = second * rate;
    history.count(id, { downloaded, uploaded: downloaded / 2 }, fromMs + second * 1_000);
  }
}

test("a steady download is the same speed in each whole slot, and nothing before it", () => {
  const history = new SpeedHistory(memoryStore());
  move(history, "a", { fromMs: NOON - 1, seconds: 60, rate: 1_000 });
  const { slotMs, endMs, down, up } = history.graph("5m", NOON + 60_000, "a");
  assert.equal(slotMs, 5_000);
  assert.equal(endMs, NOON + 60_000);
  assert.equal(down.length, SPEED_SPANS["5m"].slots);
  assert.deepEqual(down.slice(-12), Array<number>(12).fill(1_000));
  assert.deepEqual(up.slice(-12), Array<number>(12).fill(500));
  assert.deepEqual(new Set(down.slice(0, -12)), new Set([0]));
});

test("all of them together are the sum, and time without bytes is zero", () => {
  const history = new SpeedHistory(memoryStore());
  move(history, "a", { fromMs: NOON - 1, seconds: 30, rate: 1_000 });
  move(history, "b", { fromMs: NOON - 1, seconds: 30, rate: 3_000 });
  const later = NOON + 60_000;
  const { down } = history.graph("1h", later);
  assert.deepEqual(down.slice(-2), [4_000, 0]);
  assert.deepEqual(history.graph("1h", later, "b").down.slice(-2), [3_000, 0]);
  assert.equal(Math.max(...history.graph("1h", later, "c").down), 0);
});

test("the bytes of the first look are not counted: they are those of the time before", () => {
  const history = new SpeedHistory(memoryStore());
  history.count("a", { downloaded: 9e9, uploaded: 0 }, NOON);
  assert.equal(Math.max(...history.graph("5m", NOON + 5_000, "a").down), 0);
  // The same after a pause.
  history.handleClosed("a");
  history.count("a", { downloaded: 18e9, uploaded: 0 }, NOON + 6_000);
  assert.equal(Math.max(...history.graph("5m", NOON + 10_000, "a").down), 0);
});

test("the day of all of them outlives a restart, and what is older than a day does not", async () => {
  const store = memoryStore();
  const history = new SpeedHistory(store);
  await history.load(NOON);
  move(history, "a", { fromMs: NOON - 1, seconds: 600, rate: 1_000 });
  await history.save(NOON + 600_000);
  const again = new SpeedHistory(store);
  await again.load(NOON + 700_000);
  assert.equal(again.graph("24h", NOON + 1_200_000).down.at(-2), 1_000);
  assert.equal(Math.max(...again.graph("24h", NOON + 2 * DAY_MS).down), 0);
  // New bytes after a long pause do not bring the old ones back.
  again.count("a", { downloaded: 0, uploaded: 0 }, NOON + 2 * DAY_MS);
  again.count("a", { downloaded: 600_000, uploaded: 0 }, NOON + 2 * DAY_MS + 1);
  const { down } = again.graph("24h", NOON + 2 * DAY_MS + 600_000);
  assert.deepEqual([down.at(-1), down.filter((rate) => rate > 0).length], [1_000, 1]);
});

test("nothing is saved while no slot has ended, and a damaged memory is no history", async () => {
  const store = memoryStore();
  const history = new SpeedHistory(store);
  await history.load(NOON);
  await history.save(NOON + 1_000);
  assert.equal(store.kept.size, 0);
  await history.save(NOON + 1_000, true);
  assert.equal(store.kept.size, 1);
  store.kept.set("transfer-speed", { slot: "x", down: [1], up: [] });
  const again = new SpeedHistory(store);
  await again.load(NOON);
  assert.equal(Math.max(...again.graph("24h", NOON).down), 0);
});

test("a clock that is set back gives no slot the bytes of another time", () => {
  const history = new SpeedHistory(memoryStore());
  move(history, "a", { fromMs: NOON - 1, seconds: 60, rate: 1_000 });
  const early = NOON - 3_600_000;
  history.count("a", { downloaded: 70_000, uploaded: 0 }, early);
  const { down } = history.graph("5m", early + 5_000, "a");
  assert.deepEqual([down.at(-1), down.filter((rate) => rate > 0).length], [2_000, 1]);
});

test("the memory is bounded: of more transfers than it keeps the first ones are forgotten", () => {
  const history = new SpeedHistory(memoryStore());
  for (let index = 0; index < 501; index += 1) {
    move(history, String(index), { fromMs: NOON, seconds: 1, rate: 5_000 });
  }
  const last = NOON + 5_000;
  assert.equal(Math.max(...history.graph("5m", last, "0").down), 0);
  assert.equal(Math.max(...history.graph("5m", last, "500").down), 1_000);
});
