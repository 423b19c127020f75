import assert from "node:assert/strict";
import { test } from "node:test";
import { openStore } from "../../src/store/open-store.ts";
import type { StoredTransfer } from "../../src/store/transfers.ts";
import { HOME, someBytes } from "../commands/simulated-world.ts";
import { toHex } from "../../src/base/bytes.ts";
import { TRACKER, TransfersWorld } from "./transfers-world.ts";

const MINUTE = 60_000;

/** A row of a finished torrent whose .torrent nobody needs. */
function seedRow(number: number): StoredTransfer {
  const infohash = someBytes(number, 20);
  return {
    id: toHex(infohash),
    infohash_v1: infohash,
    infohash_v2: null,
    name: `torrent ${number}`,
    root: HOME,
    magnet: null,
    trackers: JSON.stringify([[TRACKER]]),
    private: 0,
    stopped: 0,
    pause: null,
    failure: null,
    chore: null,
    finished_at: 1,
    whole: 1,
    size: 1,
    done: 1,
    downloaded: 1,
    uploaded: 0,
    seeded_ms: 0,
    label: null,
    position: number,
    choices: "{}",
    added_at: 1,
    active_at: number,
  };
}

test("a seed that nobody needs sleeps; a handshake wakes it, and it serves", async () => {
  const world = new TransfersWorld(31);
  const [here, there] = [world.machine(), world.machine()];
  const { bytes, content } = await world.torrent(here);
  const seeder = await world.node(here, { settings: { idleSeedsMax: 0 } });
  const { id } = await world.run(seeder.transfers.add({ torrent: bytes }, { root: HOME }));
  const find = async () => (await seeder.transfers.find(id))!;
  await world.until("it is awake", async () => (await find()).state.kind === "seeding");
  await world.until("it sleeps", async () => {
    const { state } = await find();
    return state.kind === "seeding" && state.asleep;
  });
  assert.deepEqual([...seeder.session.torrents()], []);
  // The tracker lists it still: after the goodbye it was announced again.
  await world.pass(5_000);
  assert.equal(world.announces.at(-1)!.searchParams.get("event"), "started");
  assert.ok(world.announces.some((url) => url.searchParams.get("event") === "stopped"));

  const leecher = await world.node(there);
  await world.run(leecher.transfers.add({ torrent: bytes }));
  await world.until("it is there", async () => {
    const { state } = (await leecher.transfers.find(id))!;
    return state.kind === "seeding";
  });
  await world.pass(1_100);
  const { state, uploaded } = await world.run(find());
  assert.deepEqual(state, { kind: "seeding", asleep: false });
  assert.equal(uploaded, content.length);
  await leecher.stop();
  await world.until("it sleeps again", async () => {
    const { state: now } = await find();
    return now.kind === "seeding" && now.asleep;
  });
  assert.equal((await world.run(find())).uploaded, content.length);
  await seeder.stop();
});

test("sleeping seeds are announced once each half hour, and no minute has more than 1.5 times its share", async () => {
  const world = new TransfersWorld(32);
  const machine = world.machine();
  const store = await openStore(":memory:");
  const count = 900;
  await store.transfers.insertAll(Array.from({ length: count }, (_, index) => seedRow(index)));
  const node = await world.node(machine, { store, settings: { idleSeedsMax: 0 } });
  const share = count / 30;
  const told: string[] = [];
  for (let minute = 0; minute < 60; minute += 1) {
    await world.pass(MINUTE);
    const announces = world.announces.splice(0);
    if (minute > 0) {
      assert.ok(announces.length <= 1.5 * share, `minute ${minute}: ${announces.length}`);
      assert.ok(announces.length >= share / 1.5, `minute ${minute}: ${announces.length}`);
    }
    told.push(...announces.map(({ search }) => /info_hash=([^&]*)/.exec(search)![1]!));
    const events = announces.map(({ searchParams }) => searchParams.get("event"));
    // A tracker hears of the start once; afterwards the announce only says that it is here still.
    if (minute < 29) assert.ok(events.every((event) => event === "started"));
    if (minute > 31) assert.ok(events.every((event) => event === null));
  }
  const first = new Set(told.slice(0, count));
  assert.equal(first.size, count);
  assert.deepEqual([...node.session.torrents()], []);
  await node.stop();
});

test("sleep counts as seeding time, and no time twice: not over restarts, and not when it was awake in between", async () => {
  const world = new TransfersWorld(33);
  const machine = world.machine();
  const store = await openStore(":memory:");
  await store.transfers.insertAll(Array.from({ length: 30 }, (_, index) => seedRow(index)));
  const seededMs = async (): Promise<number[]> =>
    (await world.run(store.transfers.after(0, 100))).map((row) => row.seeded_ms);
  const settings = { idleSeedsMax: 0 };
  for (let restart = 0; restart < 12; restart += 1) {
    const node = await world.node(machine, { store, settings });
    await world.pass(5 * MINUTE);
    await node.stop();
  }
  for (const ms of await seededMs()) assert.ok(ms <= 60 * MINUTE, `${ms / MINUTE} minutes of 60`);
  const node = await world.node(machine, { store, settings });
  const before = await seededMs();
  await world.pass(95 * MINUTE);
  for (const [index, ms] of (await seededMs()).entries()) {
    const minutes = (ms - before[index]!) / MINUTE;
    assert.ok(minutes >= 60 && minutes <= 95, `${minutes} minutes of 95`);
  }
  await node.stop();
});
