import assert from "node:assert/strict";
import { test } from "node:test";
import { TRANSFERS_PATH, transferPath } from "../../src/api/paths.ts";
import type {
  TransferFilesView,
  TransferList,
  TransferTrackersView,
  TransferView,
} from "../../src/api/transfers.ts";
import { createTorrent } from "../../src/commands/create-torrent.ts";
import { parseMetainfo } from "../../src/metainfo/parse-metainfo.ts";
import { transferId } from "../../src/transfers/transfer-source.ts";
import { type CommandMachine, HOME, NEVER, someBytes } from "../commands/simulated-world.ts";
import { TORRENT, TransferCalls } from "./transfer-calls.ts";
import { DOWNLOADS, PORT, TRACKER, TransfersWorld } from "./transfers-world.ts";

const OTHER = "http://other.example/announce";
const SIZES = { "a.webm": 200_000, "b.pdf": 150_000, "notes/c.pdf": 70_000 } as const;

/** A torrent of a folder with three files. */
async function talks(
  world: TransfersWorld,
  machine: CommandMachine,
  { isPrivate = false, trackers = [[TRACKER]] as string[][] } = {},
): Promise<Uint8Array> {
  for (const [name, size] of Object.entries(SIZES)) {
    machine.disk.put(`${HOME}/talks/${name}`, someBytes(size, size));
  }
  const making = createTorrent(machine.ports, {
    path: `${HOME}/talks`,
    overwrite: true,
    kind: "v1",
    pieceLength: 16_384,
    trackers,
    dated: false,
    private: isPrivate,
    onEvent: () => undefined,
    signal: NEVER,
  });
  const { file } = await world.run(making);
  const place = machine.files.absolute(file);
  const { bytes } = machine.disk.find(place)!;
  machine.disk.remove(place);
  return bytes;
}

test("a torrent is added with everything its owner chooses, by one request", async () => {
  const world = new TransfersWorld(61);
  const machine = world.machine();
  const bytes = await talks(world, machine);
  const node = await world.node(machine);
  const api = new TransferCalls(world, node);
  const query = new URLSearchParams([
    ["folder", `${HOME}/elsewhere`],
    ["stopped", "true"],
    ["label", "films"],
    ["select", "*.webm"],
    ["select", "notes/*"],
    ["sequential", "true"],
    ["downLimit", "5000"],
    ["upLimit", "4000"],
    ["ratio", "1.5"],
    ["seedingMinutes", "90"],
    ["trackers", OTHER],
    ["peers", "192.0.2.7:6881"],
  ]);
  const path = `${TRANSFERS_PATH}/torrent?${query.toString()}`;
  const added = await api.json<TransferView>("POST", path, bytes, TORRENT);
  assert.deepEqual(
    [added.state, added.label, added.folder, added.downLimit, added.upLimit, added.shareLimits],
    ["paused", "films", `${HOME}/elsewhere`, 5_000, 4_000, { ratio: 1.5, seedingMinutes: 90 }],
  );
  const { files } = await api.json<TransferFilesView>("GET", `${transferPath(added.id)}/files`);
  assert.deepEqual(
    files.map((file) => [file.path, file.priority]),
    [
      ["talks/a.webm", "normal"],
      ["talks/b.pdf", "skip"],
      ["talks/notes/c.pdf", "normal"],
    ],
  );
  const { tiers } = await api.json<TransferTrackersView>(
    "GET",
    `${transferPath(added.id)}/trackers`,
  );
  assert.deepEqual(tiers, [[TRACKER], [OTHER]]);
  const { peers, sequential } = (await node.transfers.find(added.id))!.choices;
  assert.deepEqual([peers, sequential], [["192.0.2.7:6881"], true]);
  await node.stop();
});

test("the selection of a magnet link is kept over a restart until its files are known, and then holds", async () => {
  const world = new TransfersWorld(62);
  const [here, there] = [world.machine(), world.machine()];
  const bytes = await talks(world, here);
  const fetching = await world.node(there);
  const api = new TransferCalls(world, fetching);
  const id = transferId(parseMetainfo(bytes).info.infohashes);
  const source = `magnet:?xt=urn:btih:${id}&so=0&tr=${encodeURIComponent(TRACKER)}`;
  await api.json("POST", TRANSFERS_PATH, { source, select: ["*.pdf"] });
  await world.pass(5_000);
  assert.equal((await fetching.transfers.find(id))!.state.kind, "finding");
  await fetching.stop();

  const seeder = await world.node(here);
  await world.run(seeder.transfers.add({ torrent: bytes }, { root: HOME }));
  const again = await world.node(there, { store: fetching.store });
  await world.until(
    "what was chosen is there",
    async () => (await again.transfers.find(id))!.state.kind === "seeding",
  );
  const files = await world.run(again.transfers.details.files(id));
  assert.deepEqual(
    files.map(({ path, priority, done }) => [path.at(-1), priority, done]),
    [
      // The end of its last piece, which the next file begins in.
      ["a.webm", "skip", 200_000 % 16_384],
      ["b.pdf", "normal", 150_000],
      ["c.pdf", "normal", 70_000],
    ],
  );
  await again.stop();
  await seeder.stop();
});

test("a selection that fits no file is refused; that of a link stops it in words, and start fetches all", async () => {
  const world = new TransfersWorld(63);
  const [here, there] = [world.machine(), world.machine()];
  const bytes = await talks(world, here);
  const seeder = await world.node(here);
  const node = await world.node(there);
  const api = new TransferCalls(world, node);
  const wrong = await api.send("POST", `${TRANSFERS_PATH}/torrent?select=*.flac`, bytes, TORRENT);
  assert.equal(wrong.status, 400);
  assert.match(await wrong.text(), /No file of talks fits \*\.flac/);
  assert.deepEqual((await node.transfers.list()).transfers, []);

  const { id } = await world.run(seeder.transfers.add({ torrent: bytes }, { root: HOME }));
  const source = `magnet:?xt=urn:btih:${id}&tr=${encodeURIComponent(TRACKER)}`;
  await api.json("POST", TRANSFERS_PATH, { source, select: ["*.flac"] });
  const state = async () => (await node.transfers.find(id))!.state;
  await world.until("it says what is wrong", async () => (await state()).kind === "failed");
  const view = await api.json<TransferView>("GET", transferPath(id));
  assert.match(view.cause!, /no file of it fits \*\.flac/);
  assert.equal((await api.send("POST", `${transferPath(id)}/start`)).status, 204);
  await world.until("all of it is there", async () => (await state()).kind === "seeding");
  assert.equal((await node.transfers.find(id))!.done, 420_000);
  await node.stop();
  await seeder.stop();
});

test("the peers that a link names (x.pe) are asked, without any tracker", async () => {
  const world = new TransfersWorld(64);
  const [here, there] = [world.machine(), world.machine()];
  const bytes = await talks(world, here, { trackers: [] });
  const seeder = await world.node(here);
  const node = await world.node(there);
  const api = new TransferCalls(world, node);
  const { id } = await world.run(seeder.transfers.add({ torrent: bytes }, { root: HOME }));
  const source = `magnet:?xt=urn:btih:${id}&x.pe=${here.host.address}:${PORT}`;
  await api.json("POST", TRANSFERS_PATH, { source });
  await world.until(
    "it is there",
    async () => (await node.transfers.find(id))!.state.kind === "seeding",
  );
  assert.deepEqual(world.announces, []);
  await node.stop();
  await seeder.stop();
});

test("a request with one wrong entry adds nothing", async () => {
  const world = new TransfersWorld(65);
  const machine = world.machine();
  const node = await world.node(machine);
  const api = new TransferCalls(world, node);
  const source = "0".repeat(40);
  for (const wrong of [
    { trackers: [OTHER, "ftp://tracker.example"] },
    { peers: ["192.0.2.7:6881", "nowhere"] },
    { select: ["*.pdf", ""] },
    { select: "*.pdf" },
    { shareLimits: { ratio: -1 } },
    { downLimit: 1.5 },
    { paused: true },
  ]) {
    assert.deepEqual(
      await api.refusal("POST", TRANSFERS_PATH, { source, ...wrong }),
      [400, "bad_request"],
      JSON.stringify(wrong),
    );
  }
  const { transfers } = await api.json<TransferList>("GET", TRANSFERS_PATH);
  assert.deepEqual(transfers, []);
  assert.equal(machine.disk.find(DOWNLOADS), undefined);
  await node.stop();
});

test("a second time is refused by the id of the first; merged, it takes on trackers and nothing else", async () => {
  const world = new TransfersWorld(66);
  const machine = world.machine();
  const bytes = await talks(world, machine);
  const node = await world.node(machine);
  const api = new TransferCalls(world, node);
  const path = `${TRANSFERS_PATH}/torrent?stopped=true&label=films`;
  const { id } = await api.json<TransferView>("POST", path, bytes, TORRENT);
  const source = `magnet:?xt=urn:btih:${id}&tr=${encodeURIComponent(OTHER)}`;
  const refused = await api.send("POST", TRANSFERS_PATH, { source });
  assert.equal(refused.status, 409);
  assert.match(await refused.text(), new RegExp(`talks is here already, as ${id}`));
  const tiers = async () =>
    (await api.json<TransferTrackersView>("GET", `${transferPath(id)}/trackers`)).tiers;
  assert.deepEqual(await tiers(), [[TRACKER]]);

  const own = "http://own.example/announce";
  const merged = await api.json<TransferView>("POST", TRANSFERS_PATH, {
    source,
    merge: true,
    label: "books",
    trackers: [own],
  });
  assert.deepEqual([merged.id, merged.state, merged.label], [id, "paused", "films"]);
  assert.deepEqual(await tiers(), [[TRACKER], [OTHER], [own]]);
  // What came from outside is not among what the owner named, which may be anywhere.
  assert.deepEqual((await node.transfers.find(id))!.choices.ownTrackers, [own]);
  await node.stop();
});

test("a private torrent takes on no trackers of another copy", async () => {
  const world = new TransfersWorld(67);
  const machine = world.machine();
  const bytes = await talks(world, machine, { isPrivate: true });
  const node = await world.node(machine);
  const api = new TransferCalls(world, node);
  const path = `${TRANSFERS_PATH}/torrent?stopped=true`;
  const { id } = await api.json<TransferView>("POST", path, bytes, TORRENT);
  const source = `magnet:?xt=urn:btih:${id}&tr=${encodeURIComponent(OTHER)}`;
  await api.json("POST", TRANSFERS_PATH, { source, merge: true });
  const { tiers } = await api.json<TransferTrackersView>("GET", `${transferPath(id)}/trackers`);
  assert.deepEqual(tiers, [[TRACKER]]);
  await node.stop();
});
