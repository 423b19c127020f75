import assert from "node:assert/strict";
import { test } from "node:test";
import { HOME } from "../commands/simulated-world.ts";
import { TransfersWorld } from "./transfers-world.ts";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

test("STO-8 the clock of the machine jumps while a download runs: nothing stalls, and nothing is fetched twice", async () => {
  const world = new TransfersWorld(81);
  const [here, there] = [world.machine(), world.machine()];
  const { bytes } = await world.torrent(here, { size: 3_000_000 });
  const seeder = await world.node(here);
  await world.run(seeder.transfers.add({ torrent: bytes }, { root: HOME }));
  const leecher = await world.node(there);
  await world.run(leecher.transfers.setSettings({ rates: { down: 100_000, up: 0 } }));
  const { id } = await world.run(leecher.transfers.add({ torrent: bytes }));
  const transfer = async () => (await world.run(leecher.transfers.find(id)))!;
  let before = 0;
  for (const jumpMs of [DAY_MS, -2 * DAY_MS, 365 * DAY_MS, -400 * DAY_MS]) {
    world.world.simulation.jumpWall(jumpMs);
    await world.pass(5_000);
    const { downloaded } = await transfer();
    assert.ok(downloaded - before > 200_000, `${downloaded - before} bytes after ${jumpMs} ms`);
    before = downloaded;
  }
  await world.until("it is whole", async () => (await transfer()).state.kind === "seeding");
  assert.ok((await transfer()).downloaded < 3_100_000);
  await seeder.stop();
  await leecher.stop();
});

test("STO-8 a jump is no seeding time, and a restart after one keeps what was counted", async () => {
  const world = new TransfersWorld(82);
  const here = world.machine();
  const { bytes } = await world.torrent(here);
  const first = await world.node(here, { settings: { shareLimits: { seedingMinutes: 60 } } });
  const { id } = await world.run(first.transfers.add({ torrent: bytes }, { root: HOME }));
  await world.pass(10 * MINUTE_MS);
  world.world.simulation.jumpWall(10 * DAY_MS);
  await world.pass(10 * MINUTE_MS);
  assert.equal((await world.run(first.transfers.find(id)))!.state.kind, "seeding");
  world.world.simulation.jumpWall(-30 * DAY_MS);
  await world.pass(10 * MINUTE_MS);
  await first.stop();
  const again = await world.node(here, { store: first.store });
  const state = async () => (await world.run(again.transfers.find(id)))!.state;
  await world.pass(20 * MINUTE_MS);
  assert.equal((await state()).kind, "seeding");
  await world.pass(15 * MINUTE_MS);
  const ended = await state();
  assert.deepEqual([ended.kind, "cause" in ended && ended.cause], ["paused", "seeding-time"]);
  await again.stop();
});
