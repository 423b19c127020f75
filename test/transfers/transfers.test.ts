import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../src/base/bytes.ts";
import { parseMetainfo } from "../../src/metainfo/parse-metainfo.ts";
import { formatMagnet } from "../../src/metainfo/magnet.ts";
import { TransfersError } from "../../src/transfers/transfers-error.ts";
import { HOME } from "../commands/simulated-world.ts";
import { DOWNLOADS, type NodeRun, TRACKER, TransfersWorld } from "./transfers-world.ts";

async function stateOf({ transfers }: NodeRun, id: string): Promise<string> {
  return (await transfers.find(id))!.state.kind;
}

test("two nodes: one finds content that is there and seeds it, the other downloads it and seeds too", async () => {
  const world = new TransfersWorld(1);
  const [here, there] = [world.machine(), world.machine()];
  const { bytes, content } = await world.torrent(here);
  const seeder = await world.node(here);
  const { id, name, state } = await world.run(
    seeder.transfers.add({ torrent: bytes }, { root: HOME }),
  );
  assert.equal(name, "talks");
  assert.equal(state.kind, "queued");
  assert.equal(id, toHex(parseMetainfo(bytes).info.infohashes.v1!));
  await world.until("it seeds", async () => (await stateOf(seeder, id)) === "seeding");

  const leecher = await world.node(there);
  await world.run(leecher.transfers.add({ torrent: bytes }));
  await world.until("it is there", async () => (await stateOf(leecher, id)) === "seeding");
  const copy = there.disk.find(`${DOWNLOADS}/talks/tides.bin`)!;
  assert.deepEqual(Buffer.from(copy.bytes), Buffer.from(content));
  await world.pass(1_100);
  const [got, given] = [
    (await world.run(leecher.transfers.find(id)))!,
    (await world.run(seeder.transfers.find(id)))!,
  ];
  assert.equal(got.downloaded, content.length);
  assert.equal(got.done, content.length);
  assert.ok(got.finishedAtMs !== undefined);
  assert.equal(given.uploaded, content.length);
  assert.equal(given.downloaded, 0);
  await seeder.stop();
  await leecher.stop();
});

for (const kind of ["v1", "v2", "hybrid"] as const) {
  test(`a magnet link (${kind}) becomes a transfer with details, which seeds after a restart`, async () => {
    const world = new TransfersWorld(2);
    const [here, there] = [world.machine(), world.machine()];
    const { bytes, content } = await world.torrent(here, { kind });
    const seeder = await world.node(here);
    await world.run(seeder.transfers.add({ torrent: bytes }, { root: HOME }));
    const first = await world.node(there);
    const { infohashes } = parseMetainfo(bytes).info;
    const link = formatMagnet({ infohashes, trackers: [TRACKER] });
    const { id } = await world.run(first.transfers.add({ link }));
    await world.until("it is there", async () => (await stateOf(first, id)) === "seeding");
    await first.stop();

    const again = await world.node(there, { store: first.store });
    const { name, state, size } = (await world.run(again.transfers.find(id)))!;
    assert.equal(name, "talks");
    assert.equal(state.kind, "seeding");
    assert.equal(size, content.length);
    // Only the restarted one is left to fetch from.
    await seeder.stop();
    const third = await world.node(world.machine());
    await world.run(third.transfers.add({ link }));
    await world.until("it is there", async () => (await stateOf(third, id)) === "seeding");
    await again.stop();
    await third.stop();
  });
}

test("a torrent is here once: by its .torrent, by its link, and by the other infohash of a hybrid", async () => {
  const world = new TransfersWorld(3);
  const machine = world.machine();
  const { bytes } = await world.torrent(machine, { kind: "hybrid" });
  const node = await world.node(machine);
  const { transfers } = node;
  const { id } = await world.run(transfers.add({ torrent: bytes }, { stopped: true }));
  const { v1, v2 } = parseMetainfo(bytes).info.infohashes;
  for (const given of [
    { torrent: bytes },
    { link: toHex(v1!) },
    { link: toHex(v2!) },
    { link: formatMagnet({ infohashes: { v2 } }) },
  ]) {
    await assert.rejects(world.run(transfers.add(given)), (error: unknown) => {
      assert.ok(error instanceof TransfersError);
      assert.equal(error.code, "exists");
      assert.ok(error.detail.includes(id));
      return true;
    });
  }
  assert.equal((await world.run(transfers.list())).transfers.length, 1);
  await node.stop();
});

test("what is no torrent is refused, and nothing is left of it", async () => {
  const world = new TransfersWorld(4);
  const machine = world.machine();
  const node = await world.node(machine);
  const { transfers } = node;
  const web = new TextEncoder().encode("<!doctype html><title>log in</title>");
  for (const given of [
    { torrent: web },
    { torrent: new Uint8Array(0) },
    { link: "magnet:?dn=x" },
  ]) {
    await assert.rejects(world.run(transfers.add(given)), { code: "bad-source" });
  }
  await assert.rejects(world.run(transfers.add({ link: "0".repeat(40) }, { root: "here" })), {
    code: "bad-choice",
  });
  assert.deepEqual((await world.run(transfers.list())).transfers, []);
  assert.deepEqual(
    machine.disk.paths().filter((path) => path.includes("/state/")),
    [],
  );
  await node.stop();
});

test("a stopped transfer stays stopped over a restart, and goes on from where it was", async () => {
  const world = new TransfersWorld(5);
  const [here, there] = [world.machine(), world.machine()];
  const { bytes, content } = await world.torrent(here, { size: 4_000_000 });
  const seeder = await world.node(here);
  await world.run(seeder.transfers.add({ torrent: bytes }, { root: HOME }));
  const first = await world.node(there);
  const { id } = await world.run(first.transfers.add({ torrent: bytes }));
  await world.until(
    "some is there",
    async () => (await first.transfers.find(id))!.done > 1_000_000,
  );
  await world.run(first.transfers.stop(id));
  const stopped = (await world.run(first.transfers.find(id)))!;
  assert.deepEqual(stopped.state, { kind: "paused", cause: "asked" });
  await first.stop();

  const again = await world.node(there, { store: first.store });
  await world.pass(30_000);
  const { done, state } = (await world.run(again.transfers.find(id)))!;
  assert.equal(state.kind, "paused");
  assert.equal(done, stopped.done);
  await world.run(again.transfers.start(id));
  await world.until("it is there", async () => (await stateOf(again, id)) === "seeding");
  await world.pass(1_100);
  const { downloaded } = (await world.run(again.transfers.find(id)))!;
  assert.ok(downloaded < content.length + 500_000, `${downloaded} bytes were fetched`);
  await seeder.stop();
  await again.stop();
});

test("a transfer is removed without its content, or with it, and other files stay", async () => {
  const world = new TransfersWorld(6);
  const machine = world.machine();
  const { bytes, path } = await world.torrent(machine);
  machine.disk.put(`${HOME}/talks/notes.txt`, new Uint8Array(3));
  const node = await world.node(machine);
  const { transfers } = node;
  const add = async (): Promise<string> => {
    const { id } = await world.run(transfers.add({ torrent: bytes }, { root: HOME }));
    await world.until("it seeds", async () => (await transfers.find(id))!.state.kind === "seeding");
    return id;
  };
  await world.run(transfers.remove(await add(), false));
  assert.ok(machine.disk.find(path));
  assert.deepEqual((await world.run(transfers.list())).transfers, []);
  await world.run(transfers.remove(await add(), true));
  assert.equal(machine.disk.find(path), undefined);
  assert.ok(machine.disk.find(`${HOME}/talks/notes.txt`));
  assert.deepEqual(
    machine.disk.paths().filter((each) => each.includes("/state/")),
    [],
  );
  await node.stop();
});
