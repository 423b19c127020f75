import assert from "node:assert/strict";
import { test } from "node:test";
import { HOME } from "../commands/simulated-world.ts";
import { TransfersWorld } from "./transfers-world.ts";

test("a seed stops by itself at its ratio, stays so over a restart, and goes on when it is started with another", async () => {
  const world = new TransfersWorld(51);
  const [here, there] = [world.machine(), world.machine()];
  const { bytes } = await world.torrent(here);
  const seeder = await world.node(here, { settings: { shareLimits: { ratio: 1 } } });
  const { id } = await world.run(seeder.transfers.add({ torrent: bytes }, { root: HOME }));
  const leecher = await world.node(there);
  await world.run(leecher.transfers.add({ torrent: bytes }));
  await world.until("it has given enough", async () => {
    const { state } = (await seeder.transfers.find(id))!;
    return state.kind === "paused" && state.cause === "ratio";
  });
  assert.deepEqual([...seeder.session.torrents()], []);
  await seeder.stop();
  const again = await world.node(here, { store: seeder.store });
  assert.equal((await world.run(again.transfers.find(id)))!.state.kind, "paused");
  await world.run(again.transfers.edit(id, { shareLimits: { ratio: 0 } }));
  await world.run(again.transfers.start(id));
  await world.pass(5_000);
  assert.equal((await world.run(again.transfers.find(id)))!.state.kind, "seeding");
  await again.stop();
  await leecher.stop();
});

test("the rate for all transfers holds, and the alternative one while its span lasts", async () => {
  const world = new TransfersWorld(52);
  const [here, there] = [world.machine(), world.machine()];
  const { bytes } = await world.torrent(here, { size: 4_000_000 });
  const seeder = await world.node(here);
  await world.run(seeder.transfers.add({ torrent: bytes }, { root: HOME }));
  const leecher = await world.node(there);
  // The simulated week begins on a Thursday at midnight.
  const span = { days: [4], begin: 0, end: 2 };
  const alternative = { down: 20_000, up: 0, on: false, spans: [span] };
  await world.run(leecher.transfers.setSettings({ rates: { down: 200_000, up: 0 }, alternative }));
  const { id } = await world.run(leecher.transfers.add({ torrent: bytes }));
  const got = async () => (await world.run(leecher.transfers.find(id)))!.downloaded;
  await world.pass(60_000);
  const slow = await got();
  assert.ok(slow > 500_000 && slow < 1_400_000, `${slow} bytes in the span`);
  await world.pass(75_000);
  const fast = await got();
  assert.ok(fast >= 4_000_000 || fast - slow > 1_000_000, `${fast} bytes after it`);
  await seeder.stop();
  await leecher.stop();
});
