import assert from "node:assert/strict";
import { test } from "node:test";
import {
  TRANSFER_BATCH_PATH,
  TRANSFER_QUEUE_PATH,
  TRANSFER_STATUS_PATH,
  TRANSFERS_PATH,
  transferPath,
} from "../../src/api/paths.ts";
import type {
  TransferBatchResult,
  TransferFilesView,
  TransferList,
  TransferNewsView,
  TransferStatus,
  TransferTrackersView,
  TransferView,
} from "../../src/api/transfers.ts";
import { HOME } from "../commands/simulated-world.ts";
import { TransferCalls, TORRENT } from "./transfer-calls.ts";
import { TRACKER, TransfersWorld } from "./transfers-world.ts";

test("the life of a transfer over the API: added, listed, changed, stopped, started, removed", async () => {
  const world = new TransfersWorld(21);
  const machine = world.machine();
  const { bytes } = await world.torrent(machine);
  const node = await world.node(machine);
  const api = new TransferCalls(world, node);
  const query = `?folder=${encodeURIComponent(HOME)}&label=films`;
  const added = await api.json<TransferView>(
    "POST",
    `${TRANSFERS_PATH}/torrent${query}`,
    bytes,
    TORRENT,
  );
  assert.equal(added.name, "talks");
  assert.equal(added.id, added.infohashV1);
  assert.equal(added.infohashV2, null);
  assert.equal(added.label, "films");
  const short = added.id.slice(0, 4);
  await world.until(
    "it seeds",
    async () => (await node.transfers.find(added.id))!.state.kind === "seeding",
  );
  const list = await api.json<TransferList>("GET", TRANSFERS_PATH);
  assert.deepEqual(list.counts, { all: 1, finished: 1, stopped: 0 });
  assert.equal(list.next, null);
  assert.deepEqual(
    list.transfers.map(({ id, state, percent, cause }) => ({ id, state, percent, cause })),
    [{ id: added.id, state: "seeding", percent: 100, cause: null }],
  );
  const other = await api.json<TransferList>("GET", `${TRANSFERS_PATH}?label=books`);
  assert.deepEqual(other.transfers, []);

  const { files } = await api.json<TransferFilesView>("GET", `${transferPath(short)}/files`);
  assert.deepEqual(files, [
    { index: 0, path: "talks/tides.bin", length: 400_000, done: 400_000, priority: "normal" },
  ]);
  const { tiers, trackers } = await api.json<TransferTrackersView>(
    "GET",
    `${transferPath(short)}/trackers`,
  );
  assert.deepEqual(tiers, [[TRACKER]]);
  assert.deepEqual(
    trackers.map(({ name, state }) => [name, state]),
    [["http://tracker.example", "working"]],
  );
  const edit = { label: null, upLimit: 1_000, addTrackers: ["http://other.example/announce"] };
  const edited = await api.json<TransferView>("PATCH", transferPath("talks"), edit);
  assert.equal(edited.label, null);
  assert.equal(edited.upLimit, 1_000);
  const order = { files: { 0: "high" }, sequential: true, firstAndLast: true };
  const ordered = await api.json<TransferView>("PATCH", transferPath(short), order);
  assert.deepEqual([ordered.sequential, ordered.firstAndLast], [true, true]);
  const chosen = await api.json<TransferFilesView>("GET", `${transferPath(short)}/files`);
  assert.equal(chosen.files[0]!.priority, "high");
  const rename = { path: "talks", name: "lectures" };
  const renamed = await api.json<TransferView>("POST", `${transferPath(short)}/rename`, rename);
  assert.deepEqual([renamed.name, renamed.id], ["lectures", added.id]);
  await world.pass(2_000);
  const now = await api.json<TransferTrackersView>("GET", `${transferPath(short)}/trackers`);
  assert.deepEqual(now.trackers.map(({ name }) => name).toSorted(), [
    "http://other.example",
    "http://tracker.example",
  ]);

  assert.equal((await api.send("POST", `${transferPath(short)}/stop`)).status, 204);
  const stopped = await api.json<TransferView>("GET", transferPath(short));
  assert.deepEqual([stopped.state, stopped.cause], ["paused", "stopped by you"]);
  assert.equal((await api.send("POST", `${transferPath(short)}/start`)).status, 204);
  assert.equal((await api.send("POST", `${transferPath(short)}/announce`)).status, 204);
  assert.equal((await api.send("DELETE", transferPath(short))).status, 204);
  assert.deepEqual(await api.refusal("GET", transferPath(short)), [404, "not_found"]);
  await node.stop();
});

test("the API refuses in words, and what was refused changes nothing", async () => {
  const world = new TransfersWorld(22);
  const machine = world.machine();
  const { bytes } = await world.torrent(machine);
  const node = await world.node(machine);
  const api = new TransferCalls(world, node);
  const path = `${TRANSFERS_PATH}/torrent?stopped=true`;
  const { id } = await api.json<TransferView>("POST", path, bytes, TORRENT);
  const before = await api.json<TransferView>("GET", transferPath(id));
  for (const [method, where, body, status] of [
    ["POST", TRANSFERS_PATH, { source: "magnet:?dn=x" }, 400],
    ["POST", TRANSFERS_PATH, { source: id }, 409],
    ["POST", TRANSFERS_PATH, { source: "0".repeat(40), folder: "here" }, 400],
    ["POST", TRANSFERS_PATH, {}, 400],
    ["PATCH", transferPath(id), { upLimit: -1 }, 400],
    ["PATCH", transferPath(id), { speed: 1 }, 400],
    ["PATCH", transferPath(id), { label: "a", addTrackers: ["ftp://tracker.example"] }, 400],
    ["PATCH", transferPath(id), { label: "a", addPeers: ["nowhere"] }, 400],
    ["PATCH", transferPath(id), { files: { "-1": "skip" } }, 400],
    ["PATCH", transferPath(id), { files: { 0: "soon" } }, 400],
    ["PATCH", transferPath(id), { sequential: "on" }, 400],
    ["POST", `${transferPath(id)}/move`, { folder: "there" }, 400],
    ["POST", `${transferPath(id)}/rename`, { path: "talks", name: "a/b" }, 400],
    ["POST", `${transferPath(id)}/rename`, { path: "none", name: "a" }, 404],
    ["POST", `${transferPath(id)}/rename`, { path: "talks" }, 400],
    ["GET", transferPath("0000"), undefined, 404],
    ["PATCH", `${TRANSFERS_PATH}/settings`, { downloadsMax: -1 }, 400],
    ["GET", `${TRANSFERS_PATH}?limit=0`, undefined, 400],
  ] as const) {
    const [answered, code] = await api.refusal(method, where, body);
    assert.equal(answered, status, `${method} ${where} ${JSON.stringify(body)}`);
    assert.notEqual(code, "internal");
  }
  assert.deepEqual(await api.json<TransferView>("GET", transferPath(id)), before);
  await node.stop();
});

test("watchers hear once a second what has changed, of each transfer only that, and nothing at rest", async () => {
  const world = new TransfersWorld(23);
  const [here, there] = [world.machine(), world.machine()];
  const { bytes, content } = await world.torrent(here, { size: 3_000_000 });
  const seeder = await world.node(here);
  await world.run(seeder.transfers.add({ torrent: bytes }, { root: HOME }));
  const node = await world.node(there);
  const api = new TransferCalls(world, node);
  const { body } = await api.send("GET", `${TRANSFERS_PATH}/events`);
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
  const texts: string[] = [];
  const reading = (async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      texts.push(value);
    }
  })();
  const { id } = await world.run(node.transfers.add({ torrent: bytes }));
  await world.until(
    "it is there",
    async () => (await node.transfers.find(id))!.state.kind === "seeding",
  );
  await world.pass(15_000);
  const news = (): TransferNewsView[] =>
    texts.flatMap((text) => {
      const data = /^event: transfers\ndata: (.*)\n\n$/.exec(text)?.[1];
      return data === undefined ? [] : [JSON.parse(data) as TransferNewsView];
    });
  assert.equal(texts[0], "event: ready\ndata: {}\n\n");
  const [first, ...rest] = news();
  assert.equal(first!.changed[0]!.name, "talks");
  assert.ok(rest.length > 1);
  for (const { changed } of rest) assert.equal(changed[0]!.name, undefined);
  const sum = Object.assign({}, ...news().flatMap(({ changed }) => changed)) as TransferView;
  assert.equal(sum.state, "seeding");
  assert.equal(sum.downloaded, content.length);

  await seeder.stop();
  await world.pass(30_000);
  const before = texts.length;
  await world.pass(60_000);
  const idle = texts.slice(before).filter((text) => !text.startsWith(":"));
  assert.deepEqual(idle, []);
  await world.run(node.transfers.remove(id, false));
  await world.pass(2_000);
  assert.deepEqual(news().at(-1), { changed: [], removed: [id] });
  await reader.cancel();
  await reading;
  await node.stop();
});

test("many transfers get a command in one request; those that refuse it are named, and the others are done", async () => {
  const world = new TransfersWorld(23);
  const machine = world.machine();
  const node = await world.node(machine);
  const api = new TransferCalls(world, node);
  const ids: string[] = [];
  for (const digit of "abc") {
    const added = await api.json<TransferView>("POST", TRANSFERS_PATH, {
      source: digit.repeat(40),
    });
    ids.push(added.id);
  }
  const batch = { ids: [...ids, "d".repeat(40)], command: "stop" };
  const { refused } = await api.json<TransferBatchResult>("POST", TRANSFER_BATCH_PATH, batch);
  assert.deepEqual(
    refused.map(({ id, code }) => [id, code]),
    [["d".repeat(40), "not_found"]],
  );
  const edit = { ids: ids.slice(1), command: "edit", edit: { label: "books", upLimit: 5_000 } };
  assert.deepEqual(await api.json("POST", TRANSFER_BATCH_PATH, edit), { refused: [] });
  const { transfers } = await api.json<TransferList>("GET", TRANSFERS_PATH);
  assert.deepEqual(
    transfers.map(({ state, reason, label, upLimit }) => [state, reason, label, upLimit]),
    [
      ["paused", "asked", null, 0],
      ["paused", "asked", "books", 5_000],
      ["paused", "asked", "books", 5_000],
    ],
  );
  const bare = await api.refusal("POST", TRANSFER_BATCH_PATH, { ids, command: "edit" });
  assert.deepEqual(bare, [400, "bad_request"]);
  const gone = { ids, command: "remove" };
  assert.deepEqual(await api.json("POST", TRANSFER_BATCH_PATH, gone), { refused: [] });
  await world.until("they are gone", async () => (await node.transfers.counts()).all === 0);
  await node.stop();
});

test("the queue is put in order: places change in one request, and the next start keeps them", async () => {
  const world = new TransfersWorld(24);
  const machine = world.machine();
  const node = await world.node(machine, { settings: { downloadsMax: 1 } });
  const api = new TransferCalls(world, node);
  for (const digit of "abcd") {
    await api.json("POST", TRANSFERS_PATH, { source: digit.repeat(40), stopped: true });
  }
  const order = async (): Promise<string> => {
    const { transfers } = await api.json<TransferList>("GET", TRANSFERS_PATH);
    const sorted = transfers.toSorted((a, b) => a.position - b.position);
    return sorted.map(({ id }) => id[0]).join("");
  };
  assert.equal(await order(), "abcd");
  const move = async (ids: string, to: unknown): Promise<void> => {
    const body = { ids: [...ids].map((digit) => digit.repeat(40)), to };
    assert.equal((await api.send("POST", TRANSFER_QUEUE_PATH, body)).status, 204);
  };
  await move("d", "first");
  await move("a", { before: "c".repeat(40) });
  await move("c", "up");
  assert.equal(await order(), "dbca");
  await node.stop();
  const again = await world.node(machine, { store: node.store });
  const positions = await again.store.transfers.queue();
  assert.equal(positions.map(({ id }) => id[0]).join(""), "dbca");
  const wrong = await api.refusal("POST", TRANSFER_QUEUE_PATH, { ids: [], to: "sideways" });
  assert.deepEqual(wrong, [400, "bad_request"]);
  await again.stop();
});

test("what is around the transfers: the rates that hold, and the disks of their folders", async () => {
  const world = new TransfersWorld(25);
  const machine = world.machine();
  const spans = [{ days: [0, 1, 2, 3, 4, 5, 6], begin: 0, end: 1_439 }];
  const alternative = { down: 7, up: 9, on: false, spans };
  const node = await world.node(machine, { settings: { alternative } });
  const api = new TransferCalls(world, node);
  await api.json("POST", TRANSFERS_PATH, { source: "a".repeat(40), folder: `${HOME}/films` });
  const status = await api.json<TransferStatus>("GET", TRANSFER_STATUS_PATH);
  assert.deepEqual([status.rates.down, status.rates.up, status.rates.alternative], [7, 9, true]);
  assert.equal(status.rates.until?.minute, 1_439);
  assert.deepEqual(status.disks[0]!.folders, [status.folder, `${HOME}/films`]);
  await node.stop();
});
