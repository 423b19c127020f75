import assert from "node:assert/strict";
import { test } from "node:test";
import { formatMagnet } from "../../src/metainfo/magnet.ts";
import { parseMetainfo } from "../../src/metainfo/parse-metainfo.ts";
import type { TransferState } from "../../src/transfers/transfer-state.ts";
import { type CommandMachine, HOME, someBytes } from "../commands/simulated-world.ts";
import { killed } from "./killed-node.ts";
import { DOWNLOADS, type NodeRun, TRACKER, TransfersWorld } from "./transfers-world.ts";

// Content that is here in another transfer is not fetched again.

type Kind = "v1" | "v2" | "hybrid";
const SIZE = 3_000_000;
const SMALL = 400_000;
const NEW = `${DOWNLOADS}/songs/tides.bin`;

/** A node that seeds "talks"; "songs" is another torrent with the same content, which nobody seeds. */
async function seeding(
  seed: number,
  kinds: readonly [Kind, Kind] = ["v1", "v1"],
  hardLinks = false,
  size = SIZE,
) {
  const world = new TransfersWorld(seed);
  const [machine, elsewhere] = [world.machine(), world.machine()];
  const { bytes, content, path } = await world.torrent(machine, { kind: kinds[0], size });
  const other = await world.torrent(elsewhere, { name: "songs", kind: kinds[1], size });
  const node = await world.node(machine, { hardLinks });
  const source = await world.run(node.transfers.add({ torrent: bytes }, { root: HOME }));
  await world.until("it seeds", async () => isSeeding(node, source.id));
  return {
    world,
    machine,
    elsewhere,
    node,
    content,
    path,
    source: source.id,
    torrent: other.bytes,
  };
}

async function stateOf({ transfers }: NodeRun, id: string): Promise<TransferState> {
  return (await transfers.find(id))!.state;
}

async function isSeeding(node: NodeRun, id: string): Promise<boolean> {
  return (await stateOf(node, id)).kind === "seeding";
}

function bytesAt({ disk }: CommandMachine, path: string): Buffer | undefined {
  const file = disk.find(path);
  return file && Buffer.from(file.bytes.subarray(0, file.size));
}

/** Says no more than that they differ: nobody reads megabytes. */
function assertSame(one: Buffer | undefined, other: Buffer | undefined): void {
  assert.ok(one && other && one.equals(other), "the bytes are those");
}

const PAIRS: readonly (readonly [Kind, Kind])[] = [
  ["v1", "v1"],
  ["v2", "v2"],
  ["hybrid", "v2"],
  ["hybrid", "v1"],
  ["v1", "hybrid"],
  ["v2", "hybrid"],
];

for (const [from, to] of PAIRS) {
  test(`a ${to} torrent takes its content from a ${from} torrent that is here, and seeds without a peer`, async () => {
    const { world, machine, node, content, torrent } = await seeding(61, [from, to], false, SMALL);
    const { id } = await world.run(node.transfers.add({ torrent }));
    await world.until("it seeds", () => isSeeding(node, id), 60_000);
    await world.pass(1_100);
    const { downloaded, done, size } = (await world.run(node.transfers.find(id)))!;
    assert.deepEqual([downloaded, done, size], [0, SMALL, SMALL]);
    assertSame(bytesAt(machine, NEW), Buffer.from(content));
    assert.deepEqual(machine.disk.namesOf(NEW), [NEW]);
    await node.stop();
  });
}

test("a magnet link takes it too, as soon as peers have told what it is", async () => {
  const { world, elsewhere, node, torrent } = await seeding(62, ["hybrid", "hybrid"]);
  const other = await world.node(elsewhere, { settings: { rates: { down: 0, up: 100_000 } } });
  await world.run(other.transfers.add({ torrent }, { root: HOME }));
  const { infohashes } = parseMetainfo(torrent).info;
  const link = formatMagnet({ infohashes, trackers: [TRACKER] });
  const { id } = await world.run(node.transfers.add({ link }));
  await world.until("it seeds", () => isSeeding(node, id), 20_000);
  const { downloaded } = (await world.run(node.transfers.find(id)))!;
  assert.ok(downloaded < SIZE / 10, `${downloaded} bytes were fetched`);
  await node.stop();
  await other.stop();
});

for (const hardLinks of [false, true]) {
  const how = hardLinks ? "a second name" : "a copy";
  test(`STO-6 ${how} of a file that is damaged: what is wrong is fetched, and the file it came from stays as it is`, async () => {
    const { world, machine, elsewhere, node, content, path, torrent } = await seeding(
      63,
      ["v1", "v1"],
      hardLinks,
    );
    machine.disk.damage(path, 1_000_000);
    const damaged = bytesAt(machine, path);
    const other = await world.node(elsewhere);
    await world.run(other.transfers.add({ torrent }, { root: HOME }));
    const { id } = await world.run(node.transfers.add({ torrent }));
    await world.until("it seeds", () => isSeeding(node, id), 120_000);
    await world.pass(1_100);
    const { downloaded } = (await world.run(node.transfers.find(id)))!;
    assert.equal(downloaded, 65_536, "one piece");
    assertSame(bytesAt(machine, NEW), Buffer.from(content));
    assertSame(bytesAt(machine, path), damaged);
    assert.deepEqual(machine.disk.namesOf(NEW), [NEW]);
    await node.stop();
    await other.stop();
  });
}

test("with hard links the file has a second name, until its blocks can be shared", async () => {
  const { world, machine, node, path, torrent } = await seeding(64, ["v2", "v2"], true);
  const { id } = await world.run(node.transfers.add({ torrent }));
  await world.until("it seeds", () => isSeeding(node, id));
  assert.deepEqual(machine.disk.namesOf(NEW).toSorted(), [NEW, path].toSorted());
  await world.run(node.transfers.remove(id, true));
  assert.ok(!machine.disk.find(NEW));
  assert.equal(machine.disk.find(path)!.size, SIZE);
  machine.disk.sharesBlocks = true;
  await world.run(node.transfers.add({ torrent }));
  await world.until("it seeds", () => isSeeding(node, id));
  assert.deepEqual(machine.disk.namesOf(NEW), [NEW]);
  await node.stop();
});

test("STO-1 killed again and again while it takes a file: it ends whole, and nothing unfinished is left", async () => {
  const { world, node: first, content, torrent } = await seeding(65);
  let node = first;
  const { id } = await world.run(node.transfers.add({ torrent }));
  const kinds = new Set<string>();
  for (const ms of [110, 103, 108, 150]) {
    await world.pass(ms);
    kinds.add((await world.run(stateOf(node, id))).kind);
    const before = node;
    node = await killed(world, before);
    await before.stop();
  }
  await world.until("it seeds", () => isSeeding(node, id));
  assert.ok(kinds.has("taking"), [...kinds].join(" "));
  assertSame(bytesAt(node.machine, NEW), Buffer.from(content));
  const { downloaded } = (await world.run(node.transfers.find(id)))!;
  assert.equal(downloaded, 0);
  assert.deepEqual(
    node.machine.disk.paths().filter((path) => path.includes("taking")),
    [],
  );
  await node.stop();
});

test("STO-1 killed when a taken file is at its place and not compared: what is wrong in it is ours to mend", async () => {
  const { world, machine, elsewhere, node: first, content, torrent } = await seeding(66);
  const other = await world.node(elsewhere);
  await world.run(other.transfers.add({ torrent }, { root: HOME }));
  const { id } = await world.run(first.transfers.add({ torrent }));
  while (!machine.disk.find(NEW)) await world.pass(1);
  machine.disk.damage(NEW, 70_000);
  const node = await killed(world, first);
  await first.stop();
  await world.until("it seeds", () => isSeeding(node, id));
  assertSame(bytesAt(node.machine, NEW), Buffer.from(content));
  await node.stop();
  await other.stop();
});

test("STO-5 STO-6 a source that vanishes or changes while it is copied is not taken; its content is fetched", async () => {
  for (const change of ["vanishes", "changes"] as const) {
    const { world, machine, elsewhere, node, content, path, torrent } = await seeding(67);
    const other = await world.node(elsewhere);
    await world.run(other.transfers.add({ torrent }, { root: HOME }));
    const { id } = await world.run(node.transfers.add({ torrent }));
    await world.pass(103);
    assert.equal((await world.run(stateOf(node, id))).kind, "taking", change);
    if (change === "vanishes") machine.disk.remove(path);
    else machine.disk.put(path, someBytes(5, SIZE));
    await world.until("it seeds", () => isSeeding(node, id));
    assertSame(bytesAt(machine, NEW), Buffer.from(content));
    await node.stop();
    await other.stop();
  }
});

test("STO-4 a disk that is too full for the copy: it waits and says so, others go on, and it ends by itself when there is room", async () => {
  const { world, machine, node, torrent, source } = await seeding(68);
  machine.disk.setRoom(DOWNLOADS, 1_000_000);
  const { id } = await world.run(node.transfers.add({ torrent }));
  await world.until("it waits", async () => (await stateOf(node, id)).kind === "waiting");
  const state = await world.run(stateOf(node, id));
  assert.ok(state.kind === "waiting" && state.cause === "disk-full");
  assert.match(state.message, /full below .*\/downloads\/songs/);
  assert.ok(await world.run(isSeeding(node, source)));
  assert.ok(!machine.disk.find(NEW));
  machine.disk.setRoom(DOWNLOADS, Number.POSITIVE_INFINITY);
  await world.until("it seeds", () => isSeeding(node, id), 60_000);
  await node.stop();
});

test("a transfer that is stopped while it takes content goes on from there, and a removed one leaves nothing", async () => {
  const { world, machine, node, torrent } = await seeding(69);
  const { id } = await world.run(node.transfers.add({ torrent }));
  await world.pass(103);
  assert.equal((await world.run(stateOf(node, id))).kind, "taking");
  await world.run(node.transfers.stop(id));
  assert.equal((await world.run(stateOf(node, id))).kind, "paused");
  assert.ok(!machine.disk.find(NEW));
  await world.run(node.transfers.start(id));
  await world.pass(103);
  assert.equal((await world.run(stateOf(node, id))).kind, "taking");
  await world.run(node.transfers.remove(id, true));
  await world.pass(5_000);
  assert.deepEqual(
    machine.disk.paths().filter((path) => path.startsWith(DOWNLOADS)),
    [],
  );
  await node.stop();
});

test("some files of a torrent are here, at other places in it: only the others are fetched, and small ones share their pieces", async () => {
  for (const kind of ["v1", "v2"] as const) {
    const world = new TransfersWorld(70);
    const [here, there] = [world.machine(), world.machine()];
    const large = someBytes(1, 1_000_000);
    const old = await world.torrent(here, { name: "old", kind, files: { "a.bin": large } });
    const files = { "a.bin": large, "b.bin": someBytes(2, 500_000), "c.txt": someBytes(3, 100) };
    const next = await world.torrent(there, { name: "new", kind, files });
    const node = await world.node(here);
    const { id: first } = await world.run(
      node.transfers.add({ torrent: old.bytes }, { root: HOME }),
    );
    await world.until("it seeds", () => isSeeding(node, first));
    const other = await world.node(there);
    await world.run(other.transfers.add({ torrent: next.bytes }, { root: HOME }));
    const { id } = await world.run(node.transfers.add({ torrent: next.bytes }));
    await world.until("it seeds", () => isSeeding(node, id));
    await world.pass(1_100);
    const { downloaded } = (await world.run(node.transfers.find(id)))!;
    // In v1 the piece at the end of the large file has the beginning of the next one too.
    assert.ok(downloaded >= 500_000 && downloaded < 500_100 + 65_536, `${kind}: ${downloaded}`);
    for (const [name, bytes] of Object.entries(files)) {
      assertSame(bytesAt(here, `${DOWNLOADS}/new/${name}`), Buffer.from(bytes));
    }
    await node.stop();
    await other.stop();
  }
});

test("files that are not wanted are not taken; one that is wanted later is", async () => {
  const world = new TransfersWorld(71);
  const [here, there] = [world.machine(), world.machine()];
  const files = { "a.bin": someBytes(1, 500_000), "b.bin": someBytes(2, 500_000) };
  const old = await world.torrent(here, { name: "old", kind: "v2", files });
  const { bytes } = await world.torrent(there, { name: "new", kind: "v2", files });
  const node = await world.node(here);
  const { id: first } = await world.run(node.transfers.add({ torrent: old.bytes }, { root: HOME }));
  await world.until("it seeds", () => isSeeding(node, first));
  const choices = { files: { 1: "skip" } } as const;
  const { id } = await world.run(node.transfers.add({ torrent: bytes }, { choices }));
  await world.until("it seeds", () => isSeeding(node, id));
  assert.ok(here.disk.find(`${DOWNLOADS}/new/a.bin`));
  assert.ok(!here.disk.find(`${DOWNLOADS}/new/b.bin`));
  await world.run(node.transfers.edit(id, { files: { 1: "normal" } }));
  await world.until("all of it", async () => (await node.transfers.find(id))!.done === 1_000_000);
  assertSame(bytesAt(here, `${DOWNLOADS}/new/b.bin`), Buffer.from(files["b.bin"]));
  assert.equal((await world.run(node.transfers.find(id)))!.downloaded, 0);
  await node.stop();
});

test("files are found and placed by the names that their owners gave them", async () => {
  const { world, machine, node, content, torrent, source } = await seeding(73);
  await world.run(node.transfers.rename(source, "talks/tides.bin", "sea.bin"));
  await world.until("it seeds again", () => isSeeding(node, source));
  const { id } = await world.run(node.transfers.add({ torrent }, { stopped: true }));
  await world.run(node.transfers.rename(id, "songs", "music"));
  await world.run(node.transfers.start(id));
  await world.until("it seeds", () => isSeeding(node, id));
  assertSame(bytesAt(machine, `${DOWNLOADS}/music/tides.bin`), Buffer.from(content));
  await node.stop();
});

test("somebody's file at the place is not replaced, and a source that was removed is not looked for", async () => {
  const { world, machine, node, torrent, source } = await seeding(72);
  machine.disk.put(NEW, someBytes(9, 10));
  const { id } = await world.run(node.transfers.add({ torrent }));
  await world.pass(5_000);
  assert.equal((await world.run(stateOf(node, id))).kind, "waiting");
  assert.equal(machine.disk.find(NEW)!.size, 10);
  await world.run(node.transfers.remove(id, false));
  machine.disk.remove(NEW);
  await world.run(node.transfers.remove(source, false));
  await world.run(node.transfers.add({ torrent }));
  await world.pass(5_000);
  assert.equal((await world.run(stateOf(node, id))).kind, "stalled");
  await node.stop();
});
