import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeCompact } from "../../src/base/endpoint.ts";
import { dictOf, encode } from "../../src/bencode/encode.ts";
import { formatMagnet } from "../../src/metainfo/magnet.ts";
import { parseMetainfo } from "../../src/metainfo/parse-metainfo.ts";
import { createTorrent } from "../../src/commands/create-torrent.ts";
import type { GetEvent, GetOptions } from "../../src/commands/get-options.ts";
import { getTorrent } from "../../src/commands/get-torrent.ts";
import {
  type SeedEvent,
  type SeedOptions,
  seedTorrents,
} from "../../src/commands/seed-torrents.ts";
import { answerFromFiles } from "../../src/sim/sim-web.ts";
import { type CommandMachine, HOME, NEVER, SimulatedWorld, someBytes } from "./simulated-world.ts";

const SIZE = 2_000_000;
const CONTENT = someBytes(1, SIZE);
const TRACKER = "http://tracker.example/announce";
const PORT = 6881;

/** A torrent of a folder with one file, created on a machine that has the folder. */
async function madeOn(world: SimulatedWorld, machine: CommandMachine): Promise<Uint8Array> {
  machine.disk.put(`${HOME}/talks/tides.bin`, CONTENT);
  const making = createTorrent(machine.ports, {
    path: "talks",
    overwrite: false,
    kind: "hybrid",
    pieceLength: 65_536,
    trackers: [[TRACKER]],
    dated: true,
    onEvent: () => undefined,
    signal: NEVER,
  });
  const { file } = await world.run(making, 60_000);
  return machine.disk.find(`${HOME}/${file}`)!.bytes;
}

function seed(machine: CommandMachine, options: Partial<SeedOptions>) {
  return seedTorrents(machine.ports, {
    sources: ["talks.torrent"],
    folder: ".",
    listen: { host: "::", port: PORT },
    encryption: "prefer",
    pex: true,
    transport: "tcp",
    trackers: [],
    onEvent: () => undefined,
    signal: NEVER,
    ...options,
  });
}

function get(machine: CommandMachine, options: Partial<GetOptions>) {
  return getTorrent(machine.ports, {
    source: "talks.torrent",
    folder: "copy",
    select: [],
    finalNames: true,
    existing: "proven",
    hidden: false,
    seed: undefined,
    listen: undefined,
    encryption: "prefer",
    pex: true,
    transport: "tcp",
    peers: [],
    trackers: [],
    downBytesPerSecond: undefined,
    upBytesPerSecond: undefined,
    onEvent: () => undefined,
    signal: NEVER,
    ...options,
  });
}

/** A machine that seeds from now on, and one that has the .torrent file. */
async function twoMachines(world: SimulatedWorld, end: AbortSignal) {
  const [here, there] = [world.machine(), world.machine()];
  const torrent = await madeOn(world, here);
  there.disk.put(`${HOME}/talks.torrent`, torrent);
  const told: SeedEvent[] = [];
  const seeding = seed(here, { signal: end, onEvent: (event) => told.push(event) });
  return { here, there, told, seeding };
}

/** A tracker that names the seed, or no peer. */
function trackerOf(...peers: string[]): () => Uint8Array {
  const compact = peers.flatMap((address) => [...encodeCompact({ address, port: PORT })]);
  return () => encode(dictOf({ interval: 1800, peers: new Uint8Array(compact) }));
}

test("seed and get, from the first event to the last: the tracker names the seed, every byte arrives", async () => {
  const world = new SimulatedWorld(11);
  const end = new AbortController();
  const { here, there, told, seeding } = await twoMachines(world, end.signal);
  world.tracker = trackerOf(here.host.address);
  const events: GetEvent[] = [];
  const got = await world.run(get(there, { onEvent: (event) => events.push(event) }), 120_000);
  assert.deepEqual(got, {
    name: "talks",
    root: `${HOME}/copy`,
    bytes: SIZE,
    downloaded: SIZE,
    uploaded: 0,
  });
  const copy = there.disk.find(`${HOME}/copy/talks/tides.bin`)!;
  assert.deepEqual(Buffer.from(copy.bytes), Buffer.from(CONTENT));
  assert.equal(
    there.disk.paths().some((path) => path.includes("everseed-resume")),
    false,
  );
  const kinds = events.map(({ kind }) => kind).filter((kind) => kind !== "stats");
  assert.deepEqual(kinds, ["ready", "known", "connected", "done"]);
  const connected = events.find((event) => event.kind === "connected");
  assert.ok(connected);
  assert.deepEqual(connected.streams, [{ transport: "tcp", encryption: "header", peers: 1 }]);

  end.abort();
  const { uploaded } = await world.run(seeding, 60_000);
  assert.equal(uploaded, SIZE);
  assert.deepEqual(connected.sources, [{ source: "tracker", peers: 1 }]);
  assert.deepEqual([...new Set(told.map(({ kind }) => kind))], ["ready", "connected", "stats"]);
  const seen = told.find((event) => event.kind === "connected");
  assert.deepEqual(seen?.streams, connected.streams);
  assert.deepEqual(seen?.sources, [{ source: "incoming", peers: 1 }]);
});

test("a magnet link's web seed brings the content when its one peer only says what there is", async () => {
  const world = new SimulatedWorld(13);
  const end = new AbortController();
  const { here, there, seeding } = await twoMachines(world, end.signal);
  world.tracker = trackerOf(here.host.address);
  const { info } = parseMetainfo(there.disk.find(`${HOME}/talks.torrent`)!.bytes);
  const webSeeds = ["http://mirror.example/pub"];
  const source = formatMagnet({ infohashes: info.infohashes, trackers: [TRACKER], webSeeds });
  const url = "http://mirror.example/pub/talks/tides.bin";
  const answer = answerFromFiles(new Map([[url, CONTENT]]));
  let asked = 0;
  world.webSeed = (request) => {
    asked += 1;
    return answer(request);
  };
  const events: GetEvent[] = [];
  const onEvent = (event: GetEvent): void => void events.push(event);
  const got = await world.run(get(there, { source, onEvent }), 120_000);
  assert.equal(got.bytes, SIZE);
  const copy = there.disk.find(`${HOME}/copy/talks/tides.bin`)!;
  assert.deepEqual(Buffer.from(copy.bytes), Buffer.from(CONTENT));
  assert.ok(asked > 0 && asked < 40, `${asked} requests`);
  const news = events.filter((event) => event.kind === "web-seed");
  assert.deepEqual(news[0], {
    kind: "web-seed",
    url: webSeeds[0],
    state: "connected",
    reason: undefined,
  });
  end.abort();
  const { uploaded } = await world.run(seeding, 60_000);
  assert.ok(uploaded < SIZE, "the peer sent only a part");
});

test("get: no peer appears until the deadline; it says why, and stops with what it has", async () => {
  const world = new SimulatedWorld(12);
  const here = world.machine();
  await madeOn(world, here);
  world.tracker = trackerOf();
  const events: GetEvent[] = [];
  const signal = world.signalAfter(60_000);
  const getting = get(here, { signal, onEvent: (event) => events.push(event) });
  await assert.rejects(world.run(getting, 120_000), { message: "the person ends it" });
  const alone = events.find((event) => event.kind === "alone");
  assert.deepEqual(
    alone?.trackers.map(({ state, peersGiven }) => [state, peersGiven]),
    [["working", 0]],
  );
  const stopped = { kind: "stopped", doneBytes: 0, wantedBytes: SIZE, suffix: undefined };
  assert.deepEqual(events.at(-1), stopped);
});

test("get: the disk fills up during the download; the same command resumes when there is space", async () => {
  const world = new SimulatedWorld(13);
  const end = new AbortController();
  const { here, there, seeding } = await twoMachines(world, end.signal);
  world.tracker = trackerOf(here.host.address);
  const root = `${HOME}/copy`;
  there.disk.setRoom(root, 2 * SIZE);
  world.simulation.startTimer(1500, () => there.disk.setRoom(root, 0));
  const full = await world.run(
    get(there, {}).catch((error: unknown) => error),
    120_000,
  );
  assert.ok(full instanceof Error && "code" in full && "detail" in full);
  assert.equal(full.code, "disk-full");
  assert.match(String(full.detail), /Disk full: need [\d.]+ [KM]iB more on copy/);

  // It starts nothing that does not fit.
  const again = get(there, { onEvent: ({ kind }) => assert.notEqual(kind, "ready") });
  await assert.rejects(world.run(again, 60_000), { code: "disk-full" });

  there.disk.setRoom(root, 2 * SIZE);
  const sentBefore = here.host.sentBytes;
  await world.run(get(there, {}), 120_000);
  const sent = here.host.sentBytes - sentBefore;
  assert.ok(sent < SIZE / 2, `${sent} bytes came again`);
  const copy = there.disk.find(`${root}/talks/tides.bin`)!;
  assert.deepEqual(Buffer.from(copy.bytes), Buffer.from(CONTENT));
  end.abort();
  await world.run(seeding, 60_000);
});

test("get: cancelled in the middle, it keeps what it has and says how much that is", async () => {
  const world = new SimulatedWorld(14);
  const end = new AbortController();
  const { here, there, seeding } = await twoMachines(world, end.signal);
  const peers = [{ host: here.host.address, port: PORT }];
  const events: GetEvent[] = [];
  const signal = world.signalAfter(1500);
  const getting = get(there, { peers, signal, onEvent: (event) => events.push(event) });
  await assert.rejects(world.run(getting, 60_000), { message: "the person ends it" });
  const last = events.at(-1);
  assert.equal(last?.kind, "stopped");
  assert.ok(last.doneBytes! > 0 && last.doneBytes! < SIZE, `${last.doneBytes} bytes`);
  end.abort();
  await world.run(seeding, 60_000);
});

test("house rule 8: get in a simulation dials no local neighbour that a distant tracker names", async () => {
  const world = new SimulatedWorld(15);
  const here = world.machine();
  await madeOn(world, here);
  world.tracker = trackerOf("192.168.1.7");
  const events: GetEvent[] = [];
  const signal = world.signalAfter(60_000);
  const getting = get(here, { signal, onEvent: (event) => events.push(event) });
  await assert.rejects(world.run(getting, 120_000), { message: "the person ends it" });
  const alone = events.find((event) => event.kind === "alone");
  assert.deepEqual(alone?.refused, ["192.168.1.7"]);
});

test("seed: content becomes a torrent on the way; an existing torrent is used, other content is refused", async () => {
  const world = new SimulatedWorld(16);
  const here = world.machine();
  here.disk.put(`${HOME}/talks/tides.bin`, CONTENT);
  const runs: string[][] = [];
  const magnets = new Set<string>();
  for (let run = 0; run < 2; run += 1) {
    const told: SeedEvent[] = [];
    const signal = world.signalAfter(5000);
    const seeding = seed(here, {
      sources: ["talks"],
      signal,
      onEvent: (event) => told.push(event),
    });
    await world.run(seeding, 60_000);
    runs.push([...new Set(told.map(({ kind }) => kind))]);
    for (const event of told) {
      if (event.kind === "made") magnets.add(event.made.magnet);
      if (event.kind === "known") magnets.add(event.magnet);
    }
  }
  assert.deepEqual(runs, [
    ["plan", "hashed", "made", "ready", "stats"],
    ["known", "ready", "stats"],
  ]);
  assert.equal(magnets.size, 1, "both runs tell the same link");
  here.disk.put(`${HOME}/talks/tides.bin`, CONTENT.subarray(1));
  await assert.rejects(world.run(seed(here, { sources: ["talks"] }), 60_000), { code: "exists" });
});

test("seed: a missing file, a port in use and an unreadable disk end it at once", async () => {
  const world = new SimulatedWorld(17);
  const here = world.machine();
  await madeOn(world, here);
  const ready = (): never => assert.fail("it began");
  const listener = await here.host.listen({ host: "::", port: PORT, accept: () => undefined });
  await assert.rejects(world.run(seed(here, { onEvent: ready }), 60_000), { code: "port-taken" });
  listener.close();
  here.disk.remove(`${HOME}/talks/tides.bin`);
  here.disk.put(`${HOME}/talks/other`, CONTENT);
  await assert.rejects(world.run(seed(here, { onEvent: ready }), 60_000), { code: "not-found" });
  here.disk.broken = true;
  await assert.rejects(world.run(seed(here, { onEvent: ready }), 60_000), { code: "disk-error" });
});
