import assert from "node:assert/strict";
import { test } from "node:test";
import { HOME } from "../commands/simulated-world.ts";
import { TransfersWorld } from "./transfers-world.ts";

const OTHER = "/other";

/** A node that seeds a torrent of one file. */
async function seeding() {
  const world = new TransfersWorld(51);
  const machine = world.machine();
  const { bytes, content, path } = await world.torrent(machine);
  const node = await world.node(machine);
  const { id } = await world.run(node.transfers.add({ torrent: bytes }, { root: HOME }));
  const find = async () => (await node.transfers.find(id))!;
  const seeds = (): Promise<void> =>
    world.until("it seeds", async () => (await find()).state.kind === "seeding");
  await seeds();
  return { world, node, disk: machine.disk, id, content, path, find, seeds };
}

test("content moves to another folder, and is seeded from there", async () => {
  const { world, node, disk, id, content, path, find, seeds } = await seeding();
  await world.run(node.transfers.move(id, OTHER));
  await seeds();
  assert.equal(disk.find(path), undefined);
  assert.deepEqual(Buffer.from(disk.find(`${OTHER}/talks/tides.bin`)!.bytes), Buffer.from(content));
  assert.equal((await world.run(find())).root, OTHER);
  await node.stop();
});

test("a move into a folder that has a file of that name is refused at once: both files stay, and it goes on seeding", async () => {
  const { world, node, disk, id, content, path, find } = await seeding();
  const foreign = `${OTHER}/talks/tides.bin`;
  disk.put(foreign, new Uint8Array([1, 2, 3]));
  const moving = node.transfers.move(id, OTHER);
  await assert.rejects(world.run(moving), {
    code: "exists",
    message: /\/other\/talks\/tides\.bin/,
  });
  await world.pass(5_000);
  const { state, root } = await world.run(find());
  assert.deepEqual([state.kind, root], ["seeding", HOME]);
  assert.deepEqual([...disk.find(foreign)!.bytes], [1, 2, 3]);
  assert.equal(disk.find(path)!.bytes.length, content.length);
  // It is not stuck: another folder takes it.
  await world.run(node.transfers.move(id, "/free"));
  await world.until("it is there", async () => (await find()).root === "/free");
  await node.stop();
});
