import assert from "node:assert/strict";
import { test } from "node:test";
import type { TransferChoices } from "../../src/transfers/transfer-choices.ts";
import { HOME } from "../commands/simulated-world.ts";
import { killed } from "./killed-node.ts";
import { DOWNLOADS, type NodeRun, TransfersWorld } from "./transfers-world.ts";

const SIZE = 2_000_000;
const RATE = 200_000;

/** A node that downloads three files slowly from another one. */
async function downloading(seed: number, choices: TransferChoices) {
  const world = new TransfersWorld(seed);
  const here = world.machine();
  const { bytes, contents } = await world.torrentOf(here, { a: SIZE, b: SIZE, c: SIZE });
  const seeder = await world.node(here);
  await world.run(seeder.transfers.add({ torrent: bytes }, { root: HOME }));
  const node = await world.node(world.machine());
  const how = { choices: { downBytesPerSecond: RATE, ...choices } };
  const { id } = await world.run(node.transfers.add({ torrent: bytes }, how));
  return { world, seeder, node, id, contents };
}

async function doneOf({ transfers }: NodeRun, id: string): Promise<number[]> {
  return (await transfers.details.files(id)).map(({ done }) => done);
}

/** The pieces that are there, and how many there are of all. */
function piecesOf({ session }: NodeRun): { readonly had: number[]; readonly count: number } {
  const [torrent] = session.torrents();
  const { have } = torrent!;
  return { had: [...(have?.indexes() ?? [])], count: have?.length ?? 0 };
}

test("files of high priority come first, those of low priority last; a change holds at once, and nobody hangs up", async () => {
  const { world, seeder, node, id } = await downloading(61, { files: { 0: "low", 2: "high" } });
  await world.until("c is there", async () => (await doneOf(node, id))[2] === SIZE);
  const [a] = await world.run(doneOf(node, id));
  assert.ok(a! < SIZE / 10, `${a} bytes of a`);
  const [torrent] = node.session.torrents();
  await world.run(node.transfers.edit(id, { files: { 0: "high", 1: "skip" } }));
  assert.equal([...node.session.torrents()][0], torrent, "it is the same torrent");
  const before = (await world.run(doneOf(node, id)))[1]!;
  await world.until("it seeds", async () => {
    return (await node.transfers.find(id))!.state.kind === "seeding";
  });
  const [all, left, last] = await world.run(doneOf(node, id));
  assert.deepEqual([all, last], [SIZE, SIZE]);
  assert.ok(left! - before < SIZE / 5, `${left! - before} more bytes of b`);
  assert.equal((await world.run(node.transfers.find(id)))!.size! < 2.2 * SIZE, true);
  const files = await world.run(node.transfers.details.files(id));
  assert.deepEqual(
    files.map(({ priority }) => priority),
    ["high", "skip", "high"],
  );
  await world.run(node.transfers.edit(id, { files: { 1: "normal" } }));
  await world.until("all is there", async () => {
    return (await doneOf(node, id)).every((done) => done === SIZE);
  });
  await node.stop();
  await seeder.stop();
});

test("STO-1 a sequential transfer goes from the beginning to the end, also after a restart and a kill", async () => {
  const { world, seeder, node: first, id, contents } = await downloading(62, { sequential: true });
  const assertRow = (run: NodeRun, least: number): void => {
    const { had, count } = piecesOf(run);
    assert.ok(had.length >= least && had.length < count, `${had.length} of ${count} pieces`);
    // A few pieces are on their way at the same time.
    assert.ok(had.at(-1)! < had.length + 8, had.join(" "));
  };
  await world.pass(8_000);
  assertRow(first, 8);
  await first.stop();
  const second = await world.node(first.machine, { store: first.store });
  await world.pass(9_000);
  assertRow(second, 20);
  const third = await killed(world, second);
  await second.stop();
  await world.pass(6_000);
  assertRow(third, 30);
  await world.until("it seeds", async () => {
    return (await third.transfers.find(id))!.state.kind === "seeding";
  });
  for (const [path, content] of contents) {
    const copy = third.machine.disk.find(`${DOWNLOADS}/talks/${path}`)!;
    assert.ok(Buffer.compare(copy.bytes, content) === 0, path);
  }
  await third.stop();
  await seeder.stop();
});

test("sequential order and the ends of files first are switched on and off while it runs", async () => {
  const { world, seeder, node, id } = await downloading(63, {});
  await world.pass(4_000);
  const before = new Set(piecesOf(node).had);
  const scattered = Math.max(...before);
  assert.ok(scattered > before.size + 8, "the rarest first is no row");
  await world.run(node.transfers.edit(id, { sequential: true, firstAndLast: true }));
  await world.pass(3_000);
  const { had, count } = piecesOf(node);
  for (const end of [0, count - 1]) assert.ok(had.includes(end), `piece ${end} is there`);
  await world.pass(8_000);
  const later = piecesOf(node).had.filter((piece) => !before.has(piece) && piece < count / 4);
  assert.ok(later.length > 10, later.join(" "));
  await world.run(node.transfers.edit(id, { sequential: false, firstAndLast: false }));
  const { choices } = (await world.run(node.transfers.find(id)))!;
  assert.deepEqual([choices.sequential, choices.firstAndLast], [false, false]);
  await node.stop();
  await seeder.stop();
});
