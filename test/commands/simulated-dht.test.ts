import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../src/base/bytes.ts";
import { type FollowEvent, followPublication } from "../../src/commands/follow-publication.ts";
import type { GetEvent } from "../../src/commands/get-options.ts";
import { getTorrent } from "../../src/commands/get-torrent.ts";
import {
  type SeedEvent,
  type SeedOptions,
  seedTorrents,
} from "../../src/commands/seed-torrents.ts";
import { NO_SALT } from "../../src/dht/item.ts";
import type { PublicationLink } from "../../src/metainfo/metainfo.ts";
import { NodeSignatures } from "../../src/platform/node-signatures.ts";
import { type CommandMachine, HOME, NEVER, SimulatedWorld, someBytes } from "./simulated-world.ts";

const NODE = { address: "9.1.0.1", port: 6881 };
const DHT = { bootstrap: [{ host: NODE.address, port: NODE.port }] };
const LISTEN = { host: "::", port: 6881 };
const SHARED = { listen: LISTEN, encryption: "prefer", transport: "tcp", pex: false } as const;
const NOBODY = { peers: [], trackers: [] };
const CONTENT = someBytes(1, 300_000);

function seed(machine: CommandMachine, options: Partial<SeedOptions>) {
  return seedTorrents(machine.ports, {
    ...SHARED,
    sources: ["talks"],
    folder: ".",
    trackers: [],
    dht: DHT,
    onEvent: () => undefined,
    signal: NEVER,
    ...options,
  });
}

test("get and seed say that no DHT node answers, and find each other when one does", async () => {
  const world = new SimulatedWorld(21);
  const [here, there] = [world.machine(), world.machine()];
  here.disk.put(`${HOME}/talks/tides.bin`, CONTENT);
  const told: SeedEvent[] = [];
  const end = new AbortController();
  const seeding = seed(here, { signal: end.signal, onEvent: (event) => told.push(event) });
  const events: (GetEvent & { readonly atMs: number })[] = [];
  world.simulation.startTimer(60_000, () => world.dhtNode(NODE));
  let magnet: string | undefined;
  await world.run(
    new Promise<void>((resolve) => world.simulation.startTimer(5000, () => resolve())),
    10_000,
  );
  for (const event of told) if (event.kind === "made") magnet = event.made.magnet;
  const getting = getTorrent(there.ports, {
    ...SHARED,
    ...NOBODY,
    source: magnet!,
    folder: "copy",
    select: [],
    finalNames: true,
    existing: "proven",
    hidden: false,
    seed: undefined,
    dht: DHT,
    downBytesPerSecond: undefined,
    upBytesPerSecond: undefined,
    onEvent: (event) => events.push({ ...event, atMs: world.simulation.nowMs() }),
    signal: NEVER,
  });
  const got = await world.run(getting, 20 * 60_000);
  assert.equal(got.downloaded, CONTENT.length);
  const news = events.filter((event) => event.kind === "dht");
  assert.equal(news[0]!.answers, false);
  assert.ok(news[0]!.atMs >= 24_000 && news[0]!.atMs <= 27_000, `${news[0]!.atMs} ms`);
  assert.deepEqual(
    told.flatMap((event) => (event.kind === "dht" ? [event.answers] : [])),
    [false, true],
  );
  const connected = events.find((event) => event.kind === "connected");
  assert.deepEqual(connected?.sources, [{ source: "dht", peers: 1 }], "however short it was");
  end.abort();
  await world.run(seeding, 60_000);
});

test("seed says when nothing tells others where its torrent is", async () => {
  const world = new SimulatedWorld(22);
  for (const dht of [undefined, DHT]) {
    const here = world.machine();
    here.disk.put(`${HOME}/talks/tides.bin`, CONTENT);
    const told: SeedEvent[] = [];
    const signal = world.signalAfter(5000);
    await world.run(seed(here, { dht, signal, onEvent: (event) => told.push(event) }), 60_000);
    const ready = told.find((event) => event.kind === "ready");
    assert.equal(ready?.isHidden, dht === undefined);
  }
});

test("BDR-2.4.2.3: without a tracker a follower that waits gets the next version from the DHT", async () => {
  const world = new SimulatedWorld(23);
  world.dhtNode(NODE);
  const key = new NodeSignatures().keyFromSeed(new Uint8Array(32).fill(5));
  const [first, second, follower] = [world.machine(), world.machine(), world.machine()];
  first.disk.put(`${HOME}/talks/big.bin`, CONTENT);
  first.disk.put(`${HOME}/talks/news.txt`, someBytes(2, 1000));
  second.disk.put(`${HOME}/talks/big.bin`, CONTENT);
  second.disk.put(`${HOME}/talks/news.txt`, someBytes(3, 1000));
  const ends = [new AbortController(), new AbortController(), new AbortController()];
  const publication = { key, salt: NO_SALT };
  const running: Promise<unknown>[] = [];
  running.push(seed(first, { publication, signal: ends[0]!.signal }));
  const placed: bigint[] = [];
  const events: FollowEvent[] = [];
  const link: PublicationLink = {
    publication: { publicKey: key.publicKey, salt: NO_SALT },
    trackers: [],
    webSeeds: [],
    peers: [],
    exactSources: [],
  };
  const twice = Promise.withResolvers<void>();
  running.push(
    followPublication(follower.ports, {
      ...SHARED,
      ...NOBODY,
      listen: { host: "::", port: 6881 },
      publication: link,
      folder: "here",
      once: false,
      seeds: false,
      deletesOlder: false,
      dht: DHT,
      downBytesPerSecond: undefined,
      upBytesPerSecond: undefined,
      onEvent: (event) => {
        events.push(event);
        if (event.kind === "placed") placed.push(event.sequence);
        if (event.kind === "placed" && placed.length === 2) twice.resolve();
      },
      signal: ends[2]!.signal,
    }),
  );
  world.simulation.startTimer(20 * 60_000, () => {
    running.push(seed(second, { publication, signal: ends[1]!.signal }));
  });
  await world.run(twice.promise, 60 * 60_000);
  assert.ok(placed[1]! > placed[0]!);
  assert.equal(
    toHex(follower.disk.find(`${HOME}/here/talks/news.txt`)!.bytes),
    toHex(someBytes(3, 1000)),
  );
  for (const end of ends) end.abort();
  await world.run(Promise.allSettled(running), 60_000);
});
