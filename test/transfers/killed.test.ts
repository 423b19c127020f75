import assert from "node:assert/strict";
import { test } from "node:test";
import { formatMagnet } from "../../src/metainfo/magnet.ts";
import { parseMetainfo } from "../../src/metainfo/parse-metainfo.ts";
import { HOME } from "../commands/simulated-world.ts";
import { killed } from "./killed-node.ts";
import { DOWNLOADS, TRACKER, TransfersWorld } from "./transfers-world.ts";

test("STO-1 a node is killed again and again in the middle of a download: nothing wrong is called good, and it goes on from there", async () => {
  const world = new TransfersWorld(41);
  const here = world.machine();
  const { bytes, content } = await world.torrent(here, { size: 6_000_000 });
  const seeder = await world.node(here);
  await world.run(seeder.transfers.add({ torrent: bytes }, { root: HOME }));
  let node = await world.node(world.machine());
  const { infohashes } = parseMetainfo(bytes).info;
  const link = formatMagnet({ infohashes, trackers: [TRACKER] });
  const { id } = await world.run(node.transfers.add({ link }));
  const done: number[] = [];
  // The first kills come before the details are known, the last after the end.
  for (const ms of [10, 150, 700, 1_300, 2_100, 6_000, 900, 6_000]) {
    await world.pass(ms);
    const before = node;
    node = await killed(world, before);
    await before.stop();
    await world.pass(2_500);
    done.push((await world.run(node.transfers.find(id)))!.done);
  }
  await world.until(
    "it is there",
    async () => (await node.transfers.find(id))!.state.kind === "seeding",
  );
  const copy = node.machine.disk.find(`${DOWNLOADS}/talks/tides.bin`)!;
  assert.deepEqual(Buffer.from(copy.bytes), Buffer.from(content));
  const { downloaded, name } = (await world.run(node.transfers.find(id)))!;
  assert.equal(name, "talks");
  assert.ok(downloaded < 2 * content.length, `${downloaded} bytes were fetched`);
  assert.ok(done.some((bytesDone) => bytesDone > 0 && bytesDone < content.length));
  await node.stop();
  await seeder.stop();
});

for (const kind of ["move", "remove"] as const) {
  test(`STO-1 a kill before a ${kind} has begun: the next start carries it out`, async () => {
    const world = new TransfersWorld(42);
    const here = world.machine();
    const { bytes, path } = await world.torrent(here);
    const first = await world.node(here);
    const { id } = await world.run(first.transfers.add({ torrent: bytes }, { root: HOME }));
    await world.until(
      "it seeds",
      async () => (await first.transfers.find(id))!.state.kind === "seeding",
    );
    const chore = kind === "move" ? { kind, to: "/other" } : { kind, withContent: true };
    await first.store.transfers.update(id, { chore: JSON.stringify(chore) });
    const again = await killed(world, first);
    const moved = "/other/talks/tides.bin";
    await world.until(`${kind} is done`, async () => {
      const now = await again.transfers.find(id);
      return kind === "move" ? now!.state.kind === "seeding" : now === undefined;
    });
    const { disk } = again.machine;
    assert.equal(disk.find(path), undefined);
    assert.equal(disk.find(moved) !== undefined, kind === "move");
    await first.stop();
    await again.stop();
  });
}
