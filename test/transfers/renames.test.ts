import assert from "node:assert/strict";
import { test } from "node:test";
import { HOME } from "../commands/simulated-world.ts";
import { DOWNLOADS, type NodeRun, TransfersWorld } from "./transfers-world.ts";

const SIZES = { "a.bin": 300_000, "deep/b.bin": 200_000, "deep/c.bin": 100_000 };

/** A node that seeds a torrent of three files. */
async function seeding(seed: number) {
  const world = new TransfersWorld(seed);
  const machine = world.machine();
  const { bytes, contents } = await world.torrentOf(machine, SIZES);
  const seeder = await world.node(machine);
  const { id } = await world.run(seeder.transfers.add({ torrent: bytes }, { root: HOME }));
  const seeds = (node: NodeRun): Promise<void> =>
    world.until("it seeds", async () => {
      return (await node.transfers.find(id))!.state.kind === "seeding";
    });
  await seeds(seeder);
  return { world, seeder, id, bytes, contents, seeds };
}

/** Paths below a folder, the state folder left out. */
function below({ machine }: NodeRun, folder: string): string[] {
  return [...machine.disk.paths()]
    .filter((path) => path.startsWith(`${folder}/`) && !path.includes("/state/"))
    .map((path) => path.slice(folder.length + 1))
    .toSorted((a, b) => (a < b ? -1 : 1));
}

function assertContent({ machine }: NodeRun, path: string, content: Uint8Array): void {
  assert.ok(Buffer.compare(machine.disk.find(path)!.bytes, content) === 0, path);
}

test("a seed's folder and file are renamed: it goes on seeding, wakes up, moves and is removed with the new names", async () => {
  const { world, seeder, id, bytes, contents, seeds } = await seeding(71);
  const { transfers } = seeder;
  await world.run(transfers.rename(id, "talks/deep/b.bin", "second.bin"));
  await world.run(transfers.rename(id, "talks", "lectures"));
  await seeds(seeder);
  const renamed = ["lectures/a.bin", "lectures/deep/c.bin", "lectures/deep/second.bin"];
  assert.deepEqual(below(seeder, HOME), renamed);
  assert.equal((await world.run(transfers.find(id)))!.name, "lectures");
  const files = await world.run(transfers.details.files(id));
  assert.deepEqual(
    files.map(({ path }) => path.join("/")),
    ["lectures/a.bin", "lectures/deep/second.bin", "lectures/deep/c.bin"],
  );
  // Others know nothing of it.
  const other = await world.node(world.machine());
  await world.run(other.transfers.add({ torrent: bytes }));
  await seeds(other);
  assertContent(other, `${DOWNLOADS}/talks/deep/b.bin`, contents.get("deep/b.bin")!);
  await seeder.stop();
  const again = await world.node(seeder.machine, { store: seeder.store });
  await seeds(again);
  await world.run(again.transfers.recheck(id));
  await seeds(again);
  assert.deepEqual(below(again, HOME), renamed, "nothing is fetched again");
  assert.ok((await world.run(again.transfers.find(id)))!.downloaded === 0);
  await world.run(again.transfers.move(id, "/other"));
  await world.until("it is there", async () => {
    return (await again.transfers.find(id))!.state.kind === "seeding";
  });
  assert.deepEqual(below(again, "/other"), renamed);
  await world.run(again.transfers.remove(id, true));
  assert.deepEqual(below(again, "/other"), []);
  await again.stop();
  await other.stop();
});

test("STO-1 a download is renamed before it begins, during it and at its end; a kill before the files have moved loses nothing", async () => {
  const { world, seeder, id, bytes, contents, seeds } = await seeding(72);
  const how = { stopped: true, choices: { downBytesPerSecond: 60_000 } };
  const first = await world.node(world.machine());
  await world.run(first.transfers.add({ torrent: bytes }, how));
  await world.run(first.transfers.rename(id, "talks", "lectures"));
  await world.run(first.transfers.start(id));
  await world.pass(4_000);
  await world.run(first.transfers.rename(id, "lectures/a.bin", "first.bin"));
  assert.ok(below(first, DOWNLOADS).includes("lectures/first.bin"));
  const { done, downloaded } = (await world.run(first.transfers.find(id)))!;
  assert.ok(done > 0 && done < 600_000, `${done} bytes are there`);
  // As the row is after a kill before the first file is moved.
  const names = { talks: "lectures", "talks/a.bin": "first.bin", "talks/deep": "tief" };
  const chore = JSON.stringify({ kind: "rename", names, name: "lectures" });
  await first.stop();
  await first.store.transfers.update(id, { chore });
  const second = await world.node(first.machine, { store: first.store });
  await seeds(second);
  assert.deepEqual(below(second, DOWNLOADS), [
    "lectures/first.bin",
    "lectures/tief/b.bin",
    "lectures/tief/c.bin",
  ]);
  for (const [path, content] of contents) {
    const own = path.replace("deep", "tief").replace("a.bin", "first.bin");
    assertContent(second, `${DOWNLOADS}/lectures/${own}`, content);
  }
  const after = (await world.run(second.transfers.find(id)))!;
  assert.ok(after.downloaded < 600_000 + 2 * 65_536, `${after.downloaded} bytes were fetched`);
  assert.ok(after.downloaded > downloaded);
  await second.stop();
  await seeder.stop();
});

test("a renaming that cannot be done changes nothing, and says why", async () => {
  const { world, seeder, id } = await seeding(73);
  const { transfers, machine } = seeder;
  const before = below(seeder, HOME);
  for (const [path, name, code] of [
    ["talks/none", "x", "not-found"],
    ["talks/a.bin", "DEEP", "exists"],
    ["talks/a.bin", "../a.bin", "bad-choice"],
    ["talks", ".ssh", "bad-choice"],
  ] as const) {
    await assert.rejects(world.run(transfers.rename(id, path, name)), { code }, name);
  }
  machine.disk.put(`${HOME}/talks/mine.bin`, new Uint8Array([1]));
  await assert.rejects(world.run(transfers.rename(id, "talks/a.bin", "mine.bin")), {
    code: "exists",
    message: /talks\/mine\.bin/,
  });
  assert.deepEqual([...machine.disk.find(`${HOME}/talks/mine.bin`)!.bytes], [1]);
  machine.disk.remove(`${HOME}/talks/mine.bin`);
  const { state, choices } = (await world.run(transfers.find(id)))!;
  assert.deepEqual([state.kind, choices.names], ["seeding", undefined]);
  assert.deepEqual(below(seeder, HOME), before);
  const link = `magnet:?xt=urn:btih:${"ab".repeat(20)}`;
  const unknown = await world.run(transfers.add({ link }));
  await assert.rejects(world.run(transfers.rename(unknown.id, "talks", "x")), {
    code: "bad-choice",
    message: /not known yet/,
  });
  await seeder.stop();
});
