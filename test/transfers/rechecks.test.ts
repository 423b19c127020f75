import assert from "node:assert/strict";
import { test } from "node:test";
import { HOME, someBytes } from "../commands/simulated-world.ts";
import { DOWNLOADS, type NodeRun, TransfersWorld } from "./transfers-world.ts";

// The result of `recheck`, and of another selection of files.

const PIECE = 65_536;
const COPY = `${DOWNLOADS}/talks/tides.bin`;

async function isSeeding({ transfers }: NodeRun, id: string): Promise<boolean> {
  return (await transfers.find(id))!.state.kind === "seeding";
}

/** One node seeds, the other has fetched it. */
async function fetched(seed: number) {
  const world = new TransfersWorld(seed);
  const [here, there] = [world.machine(), world.machine()];
  const { bytes, content, path } = await world.torrent(here, { size: 1_000_000 });
  const seeder = await world.node(here);
  await world.run(seeder.transfers.add({ torrent: bytes }, { root: HOME }));
  const leecher = await world.node(there);
  const { id } = await world.run(leecher.transfers.add({ torrent: bytes }));
  await world.until("it is there", () => isSeeding(leecher, id));
  await world.pass(1_100);
  const downloaded = async (): Promise<number> => {
    await world.pass(1_100);
    return (await world.run(leecher.transfers.find(id)))!.downloaded;
  };
  const stop = async (): Promise<void> => {
    await seeder.stop();
    await leecher.stop();
  };
  return { world, seeder, leecher, here, there, id, content, path, downloaded, stop };
}

test("recheck finds the pieces that are damaged, and fetches these alone; everything else stays as it is", async () => {
  const { world, leecher, there, id, content, downloaded, stop } = await fetched(81);
  there.disk.damage(COPY, 10);
  there.disk.damage(COPY, 5 * PIECE + 1);
  const kinds = new Set<string>();
  const end = leecher.transfers.watch(({ changed }) => {
    for (const { state } of changed) kinds.add(state.kind);
  });
  await world.run(leecher.transfers.recheck(id));
  const before = (await world.run(leecher.transfers.find(id)))!;
  assert.deepEqual([before.done, before.finishedAtMs], [0, undefined]);
  await world.until("it seeds", () => isSeeding(leecher, id));
  assert.equal(await downloaded(), content.length + 2 * PIECE);
  assert.deepEqual(Buffer.from(there.disk.find(COPY)!.bytes), Buffer.from(content));
  const after = (await world.run(leecher.transfers.find(id)))!;
  assert.equal(after.done, content.length);
  assert.ok(after.finishedAtMs !== undefined);
  end();
  await stop();
});

test("recheck of content that is right fetches nothing, and it seeds again; a stopped one stays stopped", async () => {
  const { world, leecher, id, content, downloaded, stop } = await fetched(82);
  await world.run(leecher.transfers.recheck(id));
  await world.until("it seeds", () => isSeeding(leecher, id));
  assert.equal(await downloaded(), content.length);
  await world.run(leecher.transfers.stop(id));
  await world.run(leecher.transfers.recheck(id));
  await world.pass(5_000);
  assert.equal((await world.run(leecher.transfers.find(id)))!.state.kind, "paused");
  await world.run(leecher.transfers.start(id));
  await world.until("it seeds", () => isSeeding(leecher, id));
  assert.equal(await downloaded(), content.length);
  await stop();
});

test("recheck of a file that somebody else put there and that is damaged: it waits, names the file, and writes nothing", async () => {
  const { world, seeder, here, id, path, stop } = await fetched(83);
  here.disk.damage(path, 3 * PIECE);
  const damaged = Buffer.from(here.disk.find(path)!.bytes);
  await world.run(seeder.transfers.recheck(id));
  await world.pass(10_000);
  const { state } = (await world.run(seeder.transfers.find(id)))!;
  assert.ok(state.kind === "waiting" && state.cause === "foreign-files", state.kind);
  assert.match(state.message, /tides\.bin/);
  assert.deepEqual(Buffer.from(here.disk.find(path)!.bytes), damaged);
  await stop();
});

/** Three files; their borders lie in the middle of pieces. */
const FILES = {
  "a.bin": someBytes(1, 400_000),
  "b.bin": someBytes(2, 500_000),
  "c.bin": someBytes(3, 300_000),
};
const TOTAL = 1_200_000;

async function choosing(seed: number, kind: "v1" | "hybrid") {
  const world = new TransfersWorld(seed);
  const [here, there] = [world.machine(), world.machine()];
  const { bytes } = await world.torrent(here, { kind, files: FILES });
  const seeder = await world.node(here);
  await world.run(seeder.transfers.add({ torrent: bytes }, { root: HOME }));
  const leecher = await world.node(there);
  const files = async () => {
    const all = await world.run(leecher.transfers.details.files(id));
    return all.map(({ path, done, length }) => [path.at(-1)!, done, length] as const);
  };
  // Only the second file is not wanted. Padding files count as files.
  const second = kind === "v1" ? 1 : 2;
  const choices = { files: { [second]: "skip" } } as const;
  const { id } = await world.run(leecher.transfers.add({ torrent: bytes }, { choices }));
  const figures = async () => {
    await world.pass(1_100);
    return (await world.run(leecher.transfers.find(id)))!;
  };
  const stop = async (): Promise<void> => {
    await seeder.stop();
    await leecher.stop();
  };
  return { world, leecher, there, id, second, files, figures, stop };
}

for (const kind of ["v1", "hybrid"] as const) {
  test(`a file that is not wanted is not fetched (${kind}), but for pieces that it shares; wanted later, it is, and nothing twice`, async () => {
    const { world, leecher, there, id, second, files, figures, stop } = await choosing(84, kind);
    await world.until("it seeds", () => isSeeding(leecher, id));
    const first = await figures();
    const shared = kind === "v1" ? 2 * PIECE : 0;
    assert.ok(
      first.downloaded >= 700_000 && first.downloaded <= 700_000 + shared,
      `${first.downloaded} bytes`,
    );
    const skipped = (await files()).find(([name]) => name === "b.bin")!;
    assert.ok(skipped[1] < shared || shared === 0, `${skipped[1]} bytes of it are there`);
    await world.run(leecher.transfers.edit(id, { files: { [second]: "normal" } }));
    await world.until("all of it", async () => (await figures()).done === TOTAL);
    await world.until("it seeds", () => isSeeding(leecher, id));
    const { downloaded, size } = await figures();
    assert.deepEqual([downloaded, size], [TOTAL, TOTAL]);
    for (const [name, bytes] of Object.entries(FILES)) {
      const file = there.disk.find(`${DOWNLOADS}/talks/${name}`)!;
      assert.deepEqual(Buffer.from(file.bytes), Buffer.from(bytes), name);
    }
    await stop();
  });
}

test("a file that is not wanted any more: what is there of it is kept, its rest is not fetched, and the others are whole", async () => {
  const { world, leecher, there, id, files, figures, stop } = await choosing(85, "v1");
  await world.until("it seeds", () => isSeeding(leecher, id));
  const before = await files();
  await world.run(leecher.transfers.edit(id, { files: { 0: "skip", 2: "normal" } }));
  await world.until("it seeds", () => isSeeding(leecher, id));
  const { size, downloaded } = await figures();
  assert.equal(size! < 700_000, true, "only the last file is wanted");
  assert.ok(downloaded <= 700_000 + 2 * PIECE, "nothing was fetched for that");
  assert.deepEqual(await files(), before, "what was there is there");
  for (const name of ["a.bin", "c.bin"] as const) {
    const file = there.disk.find(`${DOWNLOADS}/talks/${name}`)!;
    assert.deepEqual(Buffer.from(file.bytes), Buffer.from(FILES[name]), name);
  }
  // Wanted again, nothing of it has to be fetched.
  await world.run(leecher.transfers.edit(id, { files: { 0: "normal" } }));
  await world.until("it seeds", () => isSeeding(leecher, id));
  assert.equal((await figures()).downloaded, downloaded);
  await stop();
});
