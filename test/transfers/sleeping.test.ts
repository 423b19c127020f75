import assert from "node:assert/strict";
import { test } from "node:test";
import { openStore } from "../../src/store/open-store.ts";
import type { StoredTransfer } from "../../src/store/transfers.ts";
import { HOME, someBytes } from "../commands/simulated-world.ts";
import { toHex } from "../../src/base/bytes.ts";
import { type NodeRun, TRACKER, TransfersWorld } from "./transfers-world.ts";

const MINUTE = 60_000;
const OWN_TRACKER = "http://own.example/announce";

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
    seeded_until: 0,
    label: null,
    position: number,
    choices: "{}",
    added_at: 1,
    active_at: number,
    active_seeded: 0,
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
  let written = 0;
  Object.assign(store.transfers, {
    update: async () => void (written += 1),
    updateAll: async (rows: readonly unknown[]) => void (written += rows.length),
  });
  const node = await world.node(machine, {
    store,
    settings: { idleSeedsMax: 0 },
  });
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
  assert.equal(written, 0, "a seed that sleeps is not written");
  assert.deepEqual([...node.session.torrents()], []);
  await node.stop();
});

test("sleep counts as seeding time, and no time twice: not over restarts, and not when it was awake in between", async () => {
  const world = new TransfersWorld(33);
  const machine = world.machine();
  const store = await openStore(":memory:");
  await store.transfers.insertAll(Array.from({ length: 30 }, (_, index) => seedRow(index)));
  const seededMs = async ({ transfers }: NodeRun): Promise<number[]> =>
    (await world.run(transfers.list(0, 100))).transfers.map((transfer) => transfer.seededMs);
  const settings = { idleSeedsMax: 0 };
  for (let restart = 0; restart < 12; restart += 1) {
    const node = await world.node(machine, { store, settings });
    await world.pass(5 * MINUTE);
    await node.stop();
  }
  const node = await world.node(machine, { store, settings });
  const minutes = async (): Promise<Set<number>> =>
    new Set((await seededMs(node)).map((ms) => Math.round(ms / MINUTE)));
  assert.deepEqual(await minutes(), new Set([60]));
  await world.pass(95 * MINUTE);
  assert.deepEqual(await minutes(), new Set([155]));

  // Time stands still for one that is stopped, and for a node that is not running.
  const { id } = seedRow(7);
  await world.run(node.transfers.stop(id));
  await world.pass(10 * MINUTE);
  await node.stop();
  await world.pass(10 * MINUTE);
  const again = await world.node(machine, { store, settings });
  const stopped = await world.run(again.transfers.find(id));
  assert.equal(Math.round(stopped!.seededMs / MINUTE), 155);
  const other = await world.run(again.transfers.find(seedRow(8).id));
  assert.equal(Math.round(other!.seededMs / MINUTE), 165);
  await again.stop();
});

test("a seed that a peer woke tells its trackers what it sent, and its turns go on; those of its owner are asked too", async () => {
  const world = new TransfersWorld(34);
  const [here, there] = [world.machine(), world.machine()];
  const { bytes, content } = await world.torrent(here);
  const seeder = await world.node(here, { settings: { idleSeedsMax: 0 } });
  const { id } = await world.run(
    seeder.transfers.add(
      { torrent: bytes },
      { root: HOME, choices: { ownTrackers: [OWN_TRACKER] } },
    ),
  );
  const isAsleep = async (): Promise<boolean> => {
    const { state } = (await seeder.transfers.find(id))!;
    return state.kind === "seeding" && state.asleep;
  };
  await world.until("it sleeps", isAsleep);
  const leecher = await world.node(there);
  await world.run(leecher.transfers.add({ torrent: bytes }));
  await world.until("it is there", async () => {
    const { state } = (await leecher.transfers.find(id))!;
    return state.kind === "seeding";
  });
  await leecher.stop();
  await world.until("it sleeps again", isAsleep);
  world.announces.splice(0);
  await world.pass(61 * MINUTE);
  const told = world.announces.map(
    ({ origin, searchParams }) =>
      `${origin} ${searchParams.get("event")} ${searchParams.get("uploaded")}`,
  );
  const turn = [TRACKER, OWN_TRACKER].map((url) => `${new URL(url).origin} null ${content.length}`);
  // The first turn since the start says that it has started.
  assert.deepEqual(new Set(told.slice(-2)), new Set(turn));
  await seeder.stop();
});

test("the DHT hears which transfers are seeds, asleep or awake, and which are none any more", async () => {
  const world = new TransfersWorld(35);
  const here = world.machine();
  const told: string[] = [];
  const { bytes } = await world.torrent(here);
  const node = await world.node(here, {
    settings: { idleSeedsMax: 0 },
    seeds: {
      handleSeed: ({ v1 }) => told.push(`seed ${toHex(v1!)}`),
      handleNoSeed: ({ v1 }) => told.push(`no seed ${toHex(v1!)}`),
    },
  });
  const { id } = await world.run(node.transfers.add({ torrent: bytes }, { root: HOME }));
  await world.until("it sleeps", async () => {
    const { state } = (await node.transfers.find(id))!;
    return state.kind === "seeding" && state.asleep;
  });
  assert.deepEqual(told.splice(0), [`seed ${id}`]);
  await world.run(node.transfers.stop(id));
  assert.deepEqual(told.splice(0), [`no seed ${id}`]);
  await world.run(node.transfers.start(id));
  assert.deepEqual(told.splice(0), [`seed ${id}`]);
  await world.run(node.transfers.recheck(id));
  assert.deepEqual(told.splice(0), [`no seed ${id}`]);
  await world.until("it is judged", async () => told.length > 0);
  await world.run(node.transfers.remove(id, false));
  assert.deepEqual(told.splice(0), [`seed ${id}`, `no seed ${id}`]);
  await node.stop();
});
