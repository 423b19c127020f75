import assert from "node:assert/strict";
import { test } from "node:test";
import { HOME } from "../commands/simulated-world.ts";
import { type NodeRun, TransfersWorld } from "./transfers-world.ts";

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

test("the transfers with a label share its rate evenly, those without are not held back, and a restart keeps it", async () => {
  const world = new TransfersWorld(53);
  const [here, there] = [world.machine(), world.machine()];
  const names = ["film-a", "film-b", "film-c", "other"];
  const seeder = await world.node(here);
  const made: Uint8Array[] = [];
  for (const [index, name] of names.entries()) {
    const { bytes } = await world.torrent(here, { name, size: 3_000_000 + index });
    await world.run(seeder.transfers.add({ torrent: bytes }, { root: HOME }));
    made.push(bytes);
  }
  const first = await world.node(there);
  const labels = { films: { rates: { down: 60_000, up: 0 } } };
  await world.run(first.transfers.setSettings({ labels }));
  const ids: string[] = [];
  for (const [index, torrent] of made.entries()) {
    const label = index < 2 ? "films" : undefined;
    const { id } = await world.run(first.transfers.add({ torrent }, { label }));
    ids.push(id);
  }
  // One gets the label while it runs.
  await world.run(first.transfers.edit(ids[2]!, { label: "films" }));
  const got = async ({ transfers }: NodeRun) =>
    Promise.all(ids.map(async (id) => (await world.run(transfers.find(id)))!.downloaded));
  await world.pass(31_000);
  assertShared(await got(first), 60_000 * 30);
  assert.ok((await got(first))[3]! >= 3_000_000);
  await first.stop();

  const again = await world.node(there, { store: first.store });
  const before = await got(again);
  await world.pass(31_000);
  const after = await got(again);
  assertShared(
    after.map((bytes, index) => bytes - before[index]!),
    60_000 * 30,
  );
  // Without its rates, nothing holds the label back.
  await world.run(again.transfers.setSettings({ labels: {} }));
  await world.until(
    "all are there",
    async () => Math.min(...(await got(again))) >= 3_000_000,
    30_000,
  );
  await again.stop();
  await seeder.stop();
});

/** The first three have the label. */
function assertShared(bytes: readonly number[], expected: number): void {
  const shares = bytes.slice(0, 3);
  const told = bytes.join(" ");
  assert.ok(Math.max(...shares) <= 1.5 * Math.min(...shares), told);
  const sum = shares.reduce((total, share) => total + share, 0);
  assert.ok(sum > 0.75 * expected && sum < 1.2 * expected, told);
}
