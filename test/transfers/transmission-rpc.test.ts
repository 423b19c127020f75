import assert from "node:assert/strict";
import { test } from "node:test";
import { TORRENT_FIELDS } from "../../src/transmission-rpc/torrent-fields.ts";
import { HOME } from "../commands/simulated-world.ts";
import { RpcCaller } from "./transmission-world.ts";
import { DOWNLOADS, type NodeRun, TRACKER, TransfersWorld } from "./transfers-world.ts";

const FILE = "talks/tides.bin";

/** A node with a caller, and torrents whose content is there. */
async function world(seed: number) {
  const world = new TransfersWorld(seed);
  const machine = world.machine();
  const node = await world.node(machine);
  const caller = new RpcCaller(world, node);
  const made = async (name = "talks", size = 400_000) => {
    const { bytes, content } = await world.torrent(machine, { name, size });
    return { bytes, content, metainfo: bytes.toBase64() };
  };
  const seeds = (id: unknown): Promise<void> =>
    world.until("it seeds", async () => (await caller.torrent(id, "status"))["status"] === 6);
  const close = async (): Promise<void> => {
    caller.rpc.close();
    await node.stop();
  };
  return { world, machine, node, caller, made, seeds, close };
}

test("a torrent comes by metainfo, magnet link, infohash and URL, and is a duplicate the second time", async () => {
  const { world: sim, machine, caller, made, close } = await world(31);
  const { metainfo, bytes } = await made();
  const added = await caller.call("torrent-add", { metainfo, "download-dir": HOME, paused: true });
  const { hashString } = added["torrent-added"] as { hashString: string };
  assert.deepEqual(added, { "torrent-added": { id: 1, name: "talks", hashString } });
  for (const filename of [
    hashString,
    `magnet:?xt=urn:btih:${hashString}`,
    "https://torrents.example/1",
  ]) {
    caller.urls.set(filename, bytes);
    const again = await caller.call("torrent-add", { filename });
    assert.deepEqual(again, { "torrent-duplicate": { id: 1, name: "talks", hashString } });
  }
  const link = await caller.call("torrent-add", {
    filename: `magnet:?xt=urn:btih:${"a".repeat(40)}&dn=waves`,
    labels: ["films"],
  });
  assert.deepEqual(link, {
    "torrent-added": { id: 2, name: "waves", hashString: "a".repeat(40) },
  });
  const [one, two] = await caller.torrents([
    "id",
    "downloadDir",
    "labels",
    "metadataPercentComplete",
  ]);
  assert.deepEqual(one, { id: 1, downloadDir: HOME, labels: [], metadataPercentComplete: 1 });
  assert.deepEqual(two, {
    id: 2,
    downloadDir: DOWNLOADS,
    labels: ["films"],
    metadataPercentComplete: 0,
  });
  // Lines of base64, as old programs break them.
  const { bytes: other } = await sim.torrent(machine, { name: "other" });
  const lines = other.toBase64().replace(/.{76}/g, "$&\n");
  const { notes, ...rest } = await caller.call("torrent-add", {
    metainfo: lines,
    "peer-limit": 60,
    bandwidthPriority: 1,
  });
  assert.equal((rest["torrent-added"] as { id: number }).id, 3);
  assert.equal((notes as string[]).length, 2);
  await close();
});

test("torrent-add refuses what it cannot do, and nothing is added", async () => {
  const { caller, made, close } = await world(32);
  const { metainfo } = await made();
  for (const [args, words] of [
    [{}, /has to name a torrent/],
    [{ filename: "/etc/passwd" }, /No files of this node's machine/],
    [{ filename: "file:///etc/passwd" }, /No files of this node's machine/],
    [{ metainfo: "***" }, /base64/],
    [{ metainfo: "aGVsbG8=" }, /This is no torrent/],
    [{ metainfo: 7 }, /"metainfo" takes text/],
    [{ metainfo, "download-dir": "films" }, /absolute path/],
    [{ metainfo, labels: ["a", "b"] }, /one label/],
    [{ metainfo, labels: ["a,b"] }, /no comma/],
    [{ metainfo, paused: "perhaps" }, /"paused" takes true or false/],
    [{ metainfo, "files-unwanted": [1] }, /There is no file 1/],
    [{ metainfo, "files-unwanted": ["0"] }, /list of whole numbers/],
    [{ filename: "https://torrents.example/1", cookies: "a=b" }, /No cookies/],
    [{ filename: "magnet:?dn=nothing" }, /neither a magnet link nor an infohash/],
  ] as const) {
    assert.match(await caller.refused("torrent-add", args), words, JSON.stringify(args));
  }
  assert.deepEqual(await caller.torrents(["id"]), []);
  await close();
});

test("every field of the protocol has a value of its type, of a link, a stopped torrent and a seed", async () => {
  const { caller, made, seeds, close } = await world(33);
  const { metainfo, content } = await made();
  await caller.call("torrent-add", { metainfo, "download-dir": HOME, labels: ["films"] });
  await caller.call("torrent-add", { filename: "b".repeat(40), paused: true });
  await seeds(1);
  const fields = [...TORRENT_FIELDS.keys()];
  const [seed, link] = await caller.torrents([...fields, "no-such-field"]);
  assert.deepEqual(Object.keys(seed!).toSorted(), fields.toSorted());
  for (const field of fields) {
    assert.equal(typeof link![field], typeof seed![field], field);
    assert.notEqual(seed![field], undefined, field);
  }
  const { length } = content;
  const pick = (...names: string[]) => Object.fromEntries(names.map((name) => [name, seed![name]]));
  assert.deepEqual(
    pick("name", "totalSize", "sizeWhenDone", "leftUntilDone", "haveValid", "percentDone", "eta"),
    {
      name: "talks",
      totalSize: length,
      sizeWhenDone: length,
      leftUntilDone: 0,
      haveValid: length,
      percentDone: 1,
      eta: -1,
    },
  );
  assert.deepEqual(seed!["files"], [{ bytesCompleted: length, length, name: FILE }]);
  assert.deepEqual(seed!["fileStats"], [{ bytesCompleted: length, wanted: true, priority: 0 }]);
  assert.deepEqual(pick("wanted", "priorities", "file-count"), {
    wanted: [1],
    priorities: [0],
    "file-count": 1,
  });
  assert.deepEqual(pick("pieceCount", "pieceSize", "pieces"), {
    pieceCount: 7,
    pieceSize: 65_536,
    pieces: Uint8Array.of(0b1111_1110).toBase64(),
  });
  assert.deepEqual(seed!["availability"], [-1, -1, -1, -1, -1, -1, -1]);
  assert.deepEqual(seed!["trackers"], [
    {
      id: 0,
      tier: 0,
      announce: TRACKER,
      scrape: "http://tracker.example/scrape",
      sitename: "tracker",
    },
  ]);
  assert.equal(seed!["trackerList"], `${TRACKER}\n`);
  const [stats] = seed!["trackerStats"] as Record<string, unknown>[];
  assert.equal(stats!["hasAnnounced"], true);
  assert.equal(stats!["lastAnnounceResult"], "Success");
  assert.ok(Number(stats!["nextAnnounceTime"]) > Number(stats!["lastAnnounceTime"]));
  assert.match(String(seed!["magnetLink"]), /^magnet:\?xt=urn:btih:[0-9a-f]{40}&dn=talks&tr=http/);
  assert.deepEqual([link!["status"], link!["pieces"], link!["files"]], [0, "", []]);
  assert.deepEqual(link!["isFinished"], false);
  await close();
});

test("both formats, and all ways to name torrents", async () => {
  const { caller, made, close } = await world(34);
  for (const name of ["one", "two", "three"]) {
    const { metainfo } = await made(name);
    await caller.call("torrent-add", { metainfo, paused: true });
  }
  const hash = String((await caller.torrent(2, "hashString"))["hashString"]);
  const names = async (ids?: unknown) =>
    (await caller.torrents(["name"], ids)).map(({ name }) => name);
  assert.deepEqual(await names(), ["one", "two", "three"]);
  assert.deepEqual(await names(3), ["three"]);
  assert.deepEqual(await names([3, hash, 2, 99, "0".repeat(40)]), ["three", "two"]);
  assert.deepEqual(await names(hash.toUpperCase()), ["two"]);
  assert.deepEqual(await names([]), []);
  for (const ids of ["all", { id: 1 }, [1, null], [1.5], true, [[1]]]) {
    assert.match(await caller.refused("torrent-get", { fields: ["id"], ids }), /"ids" takes/);
    assert.match(await caller.refused("torrent-remove", { ids }), /"ids" takes/);
  }
  assert.match(await caller.refused("torrent-get", { ids: 1 }), /"fields" takes/);
  const table = await caller.call("torrent-get", {
    fields: ["id", "name", "nothing", "id"],
    format: "table",
    ids: [1, 3],
  });
  assert.deepEqual(table, {
    torrents: [
      ["id", "name"],
      [1, "one"],
      [3, "three"],
    ],
  });
  await close();
});

test("recently-active: what has changed and gone in the last minute, and nothing at rest", async () => {
  const { world: sim, caller, made, close } = await world(35);
  for (const name of ["one", "two", "three"]) {
    const { metainfo } = await made(name);
    await caller.call("torrent-add", { metainfo, paused: true });
  }
  const recent = async () => {
    const answer = await caller.call("torrent-get", { fields: ["id"], ids: "recently-active" });
    const ids = (answer["torrents"] as { id: number }[]).map(({ id }) => id);
    return { ids, removed: answer["removed"] };
  };
  // At first nobody knows.
  assert.deepEqual(await recent(), { ids: [1, 2, 3], removed: [] });
  await sim.pass(70_000);
  assert.deepEqual(await recent(), { ids: [], removed: [] });
  await caller.call("torrent-set", { ids: 2, labels: ["films"] });
  await caller.call("torrent-remove", { ids: 3 });
  await sim.pass(2_000);
  assert.deepEqual(await recent(), { ids: [2], removed: [3] });
  await sim.pass(70_000);
  assert.deepEqual(await recent(), { ids: [], removed: [] });
  await close();
});

test("started, stopped, verified, announced and removed, with its files or without", async () => {
  const { world: sim, machine, caller, made, seeds, close } = await world(36);
  const { metainfo } = await made();
  await caller.call("torrent-add", { metainfo, "download-dir": HOME, paused: true });
  assert.equal((await caller.torrent(1, "status"))["status"], 0);
  await caller.call("torrent-start", { ids: [1] });
  await seeds(1);
  const announces = sim.announces.length;
  await caller.call("torrent-reannounce", { ids: [1] });
  await sim.until("it is announced", async () => sim.announces.length > announces);
  await caller.call("torrent-stop", { ids: [1] });
  assert.equal((await caller.torrent(1, "status"))["status"], 0);
  await caller.call("torrent-verify", { ids: 1 });
  await caller.call("torrent-start-now", { ids: 1 });
  await seeds(1);
  const place = `${HOME}/${FILE}`;
  await caller.call("torrent-remove", { ids: [1] });
  assert.ok(machine.disk.find(place));
  await caller.call("torrent-add", { metainfo, "download-dir": HOME });
  await seeds(2);
  await caller.call("torrent-remove", { ids: [2], "delete-local-data": true });
  assert.equal(machine.disk.find(place), undefined);
  assert.deepEqual(await caller.torrents(["id"]), []);
  await close();
});

test("content moves to another folder, and is found in one", async () => {
  const { world: sim, machine, caller, made, seeds, close } = await world(37);
  const { metainfo, content } = await made();
  await caller.call("torrent-add", { metainfo, "download-dir": HOME });
  await seeds(1);
  await caller.call("torrent-set-location", { ids: 1, location: `${HOME}/films/`, move: true });
  await sim.until("it has moved", async () => {
    const { downloadDir, status } = await caller.torrent(1, "downloadDir", "status");
    return downloadDir === `${HOME}/films` && status === 6;
  });
  assert.ok(machine.disk.find(`${HOME}/films/${FILE}`));
  machine.disk.put(`${HOME}/elsewhere/${FILE}`, content);
  await caller.call("torrent-set-location", { ids: 1, location: `${HOME}/elsewhere` });
  assert.equal((await caller.torrent(1, "downloadDir"))["downloadDir"], `${HOME}/elsewhere`);
  await seeds(1);
  assert.ok(machine.disk.find(`${HOME}/films/${FILE}`), "nothing was moved");
  for (const [args, words] of [
    [{ ids: 1 }, /"location" is missing/],
    [{ ids: 1, location: "films" }, /absolute/],
    [{ ids: 1, location: `${HOME}/nowhere` }, /There is no folder/],
  ] as const) {
    assert.match(await caller.refused("torrent-set-location", args), words);
  }
  await close();
});

test("files and folders are renamed, of one torrent at a time", async () => {
  const { machine, caller, made, seeds, close } = await world(48);
  const { metainfo } = await made();
  await caller.call("torrent-add", { metainfo, "download-dir": HOME });
  await seeds(1);
  const renamed = { ids: 1, path: FILE, name: "waves.bin" };
  assert.deepEqual(await caller.call("torrent-rename-path", renamed), {
    id: 1,
    path: FILE,
    name: "waves.bin",
  });
  await caller.call("torrent-rename-path", { ids: [1], path: "talks", name: "lectures" });
  const { name, files } = await caller.torrent(1, "name", "files");
  assert.equal(name, "lectures");
  assert.equal((files as { name: string }[])[0]!.name, "lectures/waves.bin");
  assert.ok(machine.disk.find(`${HOME}/lectures/waves.bin`));
  for (const [args, words] of [
    [{ path: "lectures", name: "a" }, /./],
    [{ ids: [], path: "lectures", name: "a" }, /has to name one torrent/],
    [{ ids: 1, name: "a" }, /have to be given/],
    [{ ids: 1, path: "nothing", name: "a" }, /./],
    [{ ids: 1, path: "lectures", name: "../a" }, /./],
  ] as const) {
    if (!("ids" in args)) await caller.call("torrent-add", { filename: "c".repeat(40) });
    assert.match(await caller.refused("torrent-rename-path", args), words, JSON.stringify(args));
  }
  await close();
});

test("the queue: up, down, top, bottom, and a place of one's own", async () => {
  const { caller, made, close } = await world(38);
  for (const name of ["a", "b", "c", "d"]) {
    const { metainfo } = await made(name);
    await caller.call("torrent-add", { metainfo, paused: true });
  }
  const order = async (): Promise<string> => {
    const all = await caller.torrents(["name", "queuePosition"]);
    assert.deepEqual(new Set(all.map((each) => each["queuePosition"])), new Set([0, 1, 2, 3]));
    return all
      .toSorted((one, other) => Number(one["queuePosition"]) - Number(other["queuePosition"]))
      .map(({ name }) => name)
      .join("");
  };
  assert.equal(await order(), "abcd");
  for (const [method, args, wanted] of [
    ["queue-move-up", { ids: [3] }, "acbd"],
    ["queue-move-down", { ids: [1] }, "cabd"],
    ["queue-move-top", { ids: [4] }, "dcab"],
    ["queue-move-bottom", { ids: [4, 3] }, "abdc"],
    ["torrent-set", { ids: [2], queuePosition: 3 }, "adcb"],
    ["torrent-start-now", { ids: [2] }, "badc"],
  ] as const) {
    await caller.call(method, args);
    assert.equal(await order(), wanted, method);
  }
  await close();
});

async function choicesOf({ transfers }: NodeRun) {
  return (await transfers.list()).transfers[0]!.choices;
}

test("limits of a torrent: kilobytes a second, ratio and idle time, each with its switch", async () => {
  const { caller, node, made, close } = await world(39);
  const { metainfo } = await made();
  await caller.call("torrent-add", { metainfo, paused: true });
  const fields = [
    "downloadLimit",
    "downloadLimited",
    "uploadLimit",
    "uploadLimited",
    "seedRatioLimit",
    "seedRatioMode",
    "seedIdleLimit",
    "seedIdleMode",
  ];
  const set = async (args: object) => {
    await caller.call("torrent-set", { ids: 1, ...args });
    return Object.values(await caller.torrent(1, ...fields));
  };
  assert.deepEqual(await set({}), [0, false, 0, false, 0, 0, 0, 0]);
  assert.deepEqual(await set({ downloadLimit: 100 }), [100, false, 0, false, 0, 0, 0, 0]);
  assert.equal((await choicesOf(node)).downBytesPerSecond ?? 0, 0);
  await set({ downloadLimited: true, uploadLimit: 50, uploadLimited: true });
  assert.equal((await choicesOf(node)).downBytesPerSecond, 100_000);
  assert.equal((await choicesOf(node)).upBytesPerSecond, 50_000);
  assert.deepEqual(await set({ downloadLimited: false }), [100, false, 50, true, 0, 0, 0, 0]);
  await set({ seedRatioLimit: 1.5, seedRatioMode: 1, seedIdleMode: 2 });
  assert.deepEqual((await choicesOf(node)).shareLimits, { ratio: 1.5, idleMinutes: 0 });
  assert.deepEqual(await set({ seedIdleLimit: 20, seedIdleMode: 1, seedRatioMode: 0 }), [
    100,
    false,
    50,
    true,
    1.5,
    0,
    20,
    1,
  ]);
  assert.deepEqual((await choicesOf(node)).shareLimits, { idleMinutes: 20 });
  await set({ seedIdleMode: 0 });
  assert.equal((await choicesOf(node)).shareLimits, undefined);
  // Nothing gets through there, and no limit at all it would be here.
  await set({ uploadLimit: 0, uploadLimited: true });
  assert.equal((await choicesOf(node)).upBytesPerSecond, 1);
  await close();
});

test("torrent-set refuses what it cannot do, and then nothing has changed", async () => {
  const { caller, made, close } = await world(40);
  const { metainfo } = await made();
  await caller.call("torrent-add", { metainfo, paused: true });
  const before = await caller.torrents([...TORRENT_FIELDS.keys()]);
  for (const [args, words] of [
    [{ bandwidthPriority: 1 }, /bandwidthPriority is always 0/],
    [{ group: "slow" }, /no bandwidth groups/],
    [{ honorsSessionLimits: false }, /limits of all transfers/],
    [{ "peer-limit": 10 }, /same limit of peers/],
    [{ downloadLimit: -1 }, /"downloadLimit" takes a number/],
    [{ downloadLimit: 1.5 }, /whole number/],
    [{ seedRatioMode: 3 }, /"seedRatioMode"/],
    [{ uploadLimited: 2 }, /true or false/],
    [{ "files-unwanted": [1] }, /There is no file 1/],
    [{ trackerRemove: [7] }, /There is no tracker 7/],
    [{ trackerReplace: [0] }, /with a URL after it/],
    [{ trackerAdd: ["ftp://tracker.example"] }, /no URL of a tracker/],
    [{ location: "films" }, /absolute/],
  ] as const) {
    const all = { ids: 1, labels: ["films"], uploadLimit: 9, uploadLimited: true, ...args };
    assert.match(await caller.refused("torrent-set", all), words, JSON.stringify(args));
  }
  assert.deepEqual(await caller.torrents([...TORRENT_FIELDS.keys()]), before);
  // Values that say nothing special are fine.
  await caller.call("torrent-set", {
    ids: 1,
    bandwidthPriority: 0,
    group: "",
    honorsSessionLimits: true,
    "peer-limit": 80,
  });
  await close();
});

test("files are wanted, skipped and hurried, and padding has no number", async () => {
  const sim = new TransfersWorld(41);
  const machine = sim.machine();
  for (const name of ["b.bin", "c.bin"])
    machine.disk.put(`${HOME}/talks/${name}`, new Uint8Array(70_000));
  const { bytes } = await sim.torrent(machine, { kind: "hybrid" });
  const node = await sim.node(machine);
  const caller = new RpcCaller(sim, node);
  const metainfo = bytes.toBase64();
  await caller.call("torrent-add", {
    metainfo,
    paused: true,
    "files-unwanted": [0, 1],
    "files-wanted": [1],
    "priority-high": [2],
  });
  const chosen = async () => {
    const { wanted, priorities } = await caller.torrent(1, "wanted", "priorities");
    return [wanted, priorities];
  };
  const { files } = await caller.torrent(1, "files");
  assert.deepEqual(
    (files as { name: string }[]).map(({ name }) => name),
    ["talks/b.bin", "talks/c.bin", FILE],
  );
  assert.deepEqual(await chosen(), [
    [0, 1, 1],
    [0, 0, 1],
  ]);
  await caller.call("torrent-set", { ids: 1, "files-wanted": [], "priority-low": [0] });
  assert.deepEqual(await chosen(), [
    [1, 1, 1],
    [-1, 0, 1],
  ]);
  await caller.call("torrent-set", { ids: 1, "files-unwanted": [2], "priority-high": [2] });
  assert.deepEqual(await chosen(), [
    [1, 1, 0],
    [-1, 0, 0],
  ]);
  await caller.call("torrent-set", { ids: 1, "priority-normal": [] });
  assert.deepEqual(await chosen(), [
    [1, 1, 0],
    [0, 0, 0],
  ]);
  caller.rpc.close();
  await node.stop();
});

test("trackers are added, replaced and removed, by numbers and as a list", async () => {
  const { caller, made, close } = await world(42);
  const { metainfo } = await made();
  await caller.call("torrent-add", { metainfo, paused: true });
  const [one, two, three] = ["a", "b", "c"].map((name) => `http://${name}.example/announce`);
  const list = async () => (await caller.torrent(1, "trackerList"))["trackerList"];
  await caller.call("torrent-set", { ids: 1, trackerAdd: [one] });
  assert.equal(await list(), `${TRACKER}\n\n${one}\n`);
  await caller.call("torrent-set", { ids: 1, trackerReplace: [0, two] });
  assert.equal(await list(), `${one}\n\n${two}\n`);
  await caller.call("torrent-set", { ids: 1, trackerRemove: [1] });
  assert.equal(await list(), `${one}\n`);
  await caller.call("torrent-set", { ids: 1, trackerList: `${three}\n\n${two}\n` });
  assert.equal(await list(), `${three}\n\n${two}\n`);
  await close();
});

test("the session: values with a switch are remembered while it is off, also over a restart", async () => {
  const { world: sim, machine, node, caller, made, close } = await world(43);
  const before = await caller.call("session-get");
  assert.equal(before["rpc-version"], 17);
  assert.match(String(before["version"]), /^4\.0\.6 \(Everseed 1\.2\.3\)$/);
  assert.equal(before["session-id"], "the session");
  assert.equal(before["download-dir-free-space"], 5_000);
  // Programs send everything back.
  await caller.call("session-set", before);
  assert.deepEqual(await caller.call("session-get"), before);
  const change = {
    "speed-limit-down": 700,
    "speed-limit-up": 30,
    "speed-limit-up-enabled": true,
    "alt-speed-down": 20,
    "alt-speed-up": 10,
    "alt-speed-time-enabled": true,
    "alt-speed-time-begin": 60,
    "alt-speed-time-end": 120,
    "alt-speed-time-day": 0b1000_001,
    seedRatioLimit: 1.25,
    seedRatioLimited: true,
    "idle-seeding-limit": 15,
    "download-queue-size": 3,
    "start-added-torrents": false,
    "dht-enabled": false,
    "peer-limit-global": 99,
    encryption: "required",
    "download-dir": `${HOME}/films`,
  };
  await caller.call("session-set", change);
  const { settings } = node.transfers;
  assert.deepEqual(settings.rates, { down: 0, up: 30_000 });
  assert.deepEqual(settings.alternative, {
    on: false,
    down: 20_000,
    up: 10_000,
    spans: [{ days: [0, 6], begin: 60, end: 120 }],
  });
  assert.equal(settings.shareLimits.ratio, 1.25);
  assert.equal(settings.shareLimits.idleMinutes, 0);
  assert.equal(settings.downloadsMax, 3);
  assert.equal(caller.ways.dht, false);
  const after = await caller.call("session-get", { fields: [...Object.keys(change), "nothing"] });
  assert.deepEqual(after, change);
  await caller.call("session-set", { "alt-speed-time-enabled": false });
  assert.deepEqual(node.transfers.settings.alternative.spans, []);
  const { metainfo } = await made();
  await caller.call("torrent-add", { metainfo });
  const { status, downloadDir } = await caller.torrent(1, "status", "downloadDir");
  assert.deepEqual([status, downloadDir], [0, `${HOME}/films`]);
  await close();
  const again = await sim.node(machine, { store: node.store });
  const later = new RpcCaller(sim, again);
  const kept = await later.call("session-get", {
    fields: ["alt-speed-time-begin", "speed-limit-down", "start-added-torrents", "download-dir"],
  });
  assert.deepEqual(kept, {
    "alt-speed-time-begin": 60,
    "speed-limit-down": 700,
    "start-added-torrents": false,
    "download-dir": `${HOME}/films`,
  });
  later.rpc.close();
  await again.stop();
});

test("session-set refuses what it cannot do, and then nothing has changed", async () => {
  const { caller, close } = await world(44);
  const before = await caller.call("session-get");
  for (const [args, words] of [
    [{ "blocklist-enabled": true }, /engine\.ipFilters/],
    [{ "script-torrent-done-filename": "/bin/sh" }, /not chosen over the network/],
    [{ "script-torrent-done-enabled": true }, /not chosen over the network/],
    [{ "peer-port": 1 }, /engine\.port/],
    [{ "seed-queue-enabled": true }, /those that nobody asks for sleep/],
    [{ "incomplete-dir-enabled": true }, /Unfinished files/],
    [{ encryption: "tolerated" }, /Encryption is/],
    [{ encryption: "perhaps" }, /required, preferred or tolerated/],
    [{ "speed-limit-up": -5 }, /"speed-limit-up" takes/],
    [{ "alt-speed-time-begin": 1_441 }, /"alt-speed-time-begin"/],
    [{ "download-dir": "films" }, /absolute/],
    [{ "download-dir": "/away/films" }, /There is no folder/],
    [{ "dht-enabled": "perhaps" }, /true or false/],
  ] as const) {
    const all = { "speed-limit-up": 9, "speed-limit-up-enabled": true, ...args };
    assert.match(await caller.refused("session-set", all), words, JSON.stringify(args));
  }
  caller.refusal = '"DHT" cannot be changed here: the configuration file gives it.';
  const refused = await caller.refused("session-set", {
    "dht-enabled": false,
    "alt-speed-enabled": true,
  });
  assert.match(refused, /the configuration file gives it/);
  assert.deepEqual(await caller.call("session-get"), before);
  await close();
});

test("statistics count this run and all runs, and what was removed too", async () => {
  const { world: sim, machine, node, caller, made, close } = await world(45);
  const there = sim.machine();
  const { metainfo, bytes, content } = await made();
  await caller.call("torrent-add", { metainfo, "download-dir": HOME });
  const other = await sim.node(there);
  await sim.run(other.transfers.add({ torrent: bytes }));
  await sim.until("it is fetched", async () => {
    const stats = await caller.call("session-stats");
    return (stats["current-stats"] as { uploadedBytes: number }).uploadedBytes >= content.length;
  });
  await caller.call("torrent-remove", { ids: 1 });
  const stats = await caller.call("session-stats");
  assert.equal(stats["torrentCount"], 0);
  const current = stats["current-stats"] as Record<string, number>;
  assert.ok(current["uploadedBytes"]! >= content.length);
  assert.deepEqual([current["filesAdded"], current["sessionCount"]], [1, 1]);
  await other.stop();
  await close();
  const again = await sim.node(machine, { store: node.store });
  const later = new RpcCaller(sim, again);
  const both = await later.call("session-stats");
  const ever = both["cumulative-stats"] as Record<string, number>;
  assert.equal(ever["uploadedBytes"], current["uploadedBytes"]);
  assert.deepEqual([ever["filesAdded"], ever["sessionCount"]], [1, 2]);
  assert.equal((both["current-stats"] as Record<string, number>)["uploadedBytes"], 0);
  later.rpc.close();
  await again.stop();
});

test("free space, the test of the port, and what Transmission has and this node does not", async () => {
  const { caller, close } = await world(46);
  assert.deepEqual(await caller.call("free-space", { path: HOME }), {
    path: HOME,
    "size-bytes": 5_000,
    total_size: 9_000,
  });
  assert.match(await caller.refused("free-space", { path: "/away" }), /There is no folder/);
  assert.match(await caller.refused("free-space", {}), /"path" is missing/);
  assert.match(await caller.refused("port-test"), /not known to be open/);
  caller.wasReached = true;
  assert.deepEqual(await caller.call("port-test"), { "port-is-open": true });
  assert.deepEqual(await caller.call("group-get"), { group: [] });
  for (const method of ["group-set", "blocklist-update", "session-close"]) {
    assert.notEqual(await caller.refused(method), "");
  }
  await close();
});

test("what is no request is refused, and a tag comes back", async () => {
  const { caller, close } = await world(47);
  for (const [text, result] of [
    ["", "The body is no JSON."],
    ["nonsense", "The body is no JSON."],
    ["[]", "The body is no JSON object."],
    ["null", "The body is no JSON object."],
    ["{}", "The request has no method."],
    ['{"method":7}', "The request has no method."],
    ['{"method":"torrent-explode"}', "There is no such method."],
    ['{"method":"constructor"}', "There is no such method."],
    ['{"method":"session-get","arguments":[]}', '"arguments" takes an object.'],
  ] as const) {
    assert.equal((await caller.send(text)).result, result, text);
  }
  const tagged = await caller.send('{"method":"session-stats","tag":39693}');
  assert.deepEqual([tagged.result, tagged.tag], ["success", 39_693]);
  assert.equal((await caller.send('{"method":"no","tag":3}')).tag, 3);
  await close();
});
