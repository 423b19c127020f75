import assert from "node:assert/strict";
import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import type { DhtMemory } from "../../src/commands/command-ports.ts";
import { dhtLookup } from "../../src/commands/use-dht.ts";
import { dhtMemory, dhtMemoryPath } from "../../src/daemon/dht-memory.ts";
import { decodeState, encodeState, mergeStates } from "../../src/dht/saved-state.ts";
import { NodeClock } from "../../src/platform/node-clock.ts";
import { NodeRandom } from "../../src/platform/node-random.ts";
import { NodeSignatures } from "../../src/platform/node-signatures.ts";
import { UdpNet } from "../../src/platform/udp-net.ts";
import { type Log, SILENT_LOG } from "../../src/ports/log.ts";
import { bootstrapNode } from "../fixtures/bootstrap-node.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

/** A command that looks a torrent up, on a machine where no name leads anywhere. */
async function lookUp(
  memory: DhtMemory,
  how: {
    readonly bootstrap?: readonly string[];
    readonly log?: Log;
    readonly limitMs?: number;
  } = {},
) {
  const { bootstrap = [], log = SILENT_LOG, limitMs = 10_000 } = how;
  const udp = new UdpNet();
  const asked: string[] = [];
  const ports = {
    clock: new NodeClock(),
    random: new NodeRandom(),
    signatures: new NodeSignatures(),
    datagrams: {
      resolve: async (host: string) => {
        asked.push(host);
        return host.startsWith("127.") ? [host] : [];
      },
      bind: (options: Parameters<UdpNet["bind"]>[0]) =>
        udp.bind({ ...options, host: "127.0.0.1", port: 0 }),
    },
    dhtMemory: memory,
    log,
    refusalOf: undefined,
    behindProxy: undefined,
  };
  const named = bootstrap.map((text) => ({ host: "127.0.0.1", port: Number(text.split(":")[1]) }));
  const found = await dhtLookup(ports, {
    infohash: new Uint8Array(20).fill(7),
    bootstrap: named,
    signal: AbortSignal.timeout(limitMs),
  });
  return { asked, found };
}

/** What a node of ours remembers that knows one other. */
function knowing(port: number): Uint8Array {
  const contacts = [{ id: new Uint8Array(20).fill(1), endpoint: { address: "127.0.0.1", port } }];
  const id = new Uint8Array(20).fill(2);
  return encodeState(new Map([[4, { id, outer: undefined, contacts }]]));
}

function fileIn(t: TestContext, log: Log = SILENT_LOG) {
  const path = join(temporaryFolder(t, "everseed-dht-"), "state/everseed/dht.state");
  return { path, memory: dhtMemory(path, log) };
}

const portsOf = (bytes: Uint8Array): number[] =>
  decodeState(bytes)
    .get(4)!
    .contacts.map(({ endpoint }) => endpoint.port);

test("a command begins with the nodes of the one before, and remembers those that answered", async (t) => {
  const { service } = await bootstrapNode(t);
  const { port } = service.local;
  const { path, memory } = fileIn(t);
  assert.equal(await memory.load(), undefined);
  await memory.save(knowing(port));
  const { asked, found } = await lookUp(memory);
  assert.equal(found.replies, 1);
  assert.ok(asked.includes("router.bittorrent.com"), "the well-known ones are asked as well");
  assert.deepEqual(portsOf(await readFile(path)), [port]);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal((await stat(dirname(path))).mode & 0o777, 0o700);
});

test("nodes that the user names are a network of their own: nothing is read or remembered", async (t) => {
  const { address } = await bootstrapNode(t);
  const memory: DhtMemory = {
    load: () => assert.fail("it is read"),
    save: () => assert.fail("it is written"),
  };
  const { asked } = await lookUp(memory, { bootstrap: [address] });
  assert.deepEqual(asked, ["127.0.0.1"]);
});

test("DHT-6: what cannot be read is ignored with a word, and stays until a run has learned something", async (t) => {
  const words: string[] = [];
  const log = { ...SILENT_LOG, warn: (message: string) => words.push(message) };
  const { path, memory } = fileIn(t, log);
  await mkdir(dirname(path), { recursive: true });
  for (const [bytes, word] of [
    [Buffer.from("d4:ipv4le"), /DHT nodes of earlier runs cannot be read/],
    [Buffer.alloc(65 * 1024, "x"), /too long/],
  ] as const) {
    await writeFile(path, bytes);
    words.length = 0;
    await assert.rejects(lookUp(memory, { log, limitMs: 300 }), { name: "TimeoutError" });
    assert.match(words.join(), word);
    assert.deepEqual(await readFile(path), bytes);
  }
  await chmod(dirname(path), 0o700);
  await writeFile(path, "");
  const inTheWay = dhtMemory(join(path, "below/a-file"), log);
  words.length = 0;
  await inTheWay.save(knowing(1));
  assert.equal(await inTheWay.load(), undefined);
  assert.match(words.join(), /are not remembered.*cannot be read/);
});

test("a short run forgets no nodes: its own come first", () => {
  const merged = mergeStates(decodeState(knowing(5)), decodeState(knowing(6)));
  assert.deepEqual(portsOf(encodeState(merged)), [5, 6]);
  const same = mergeStates(decodeState(knowing(5)), decodeState(knowing(5)));
  assert.deepEqual(portsOf(encodeState(same)), [5]);
});

test("the file is in the state folder of the user", () => {
  assert.equal(dhtMemoryPath({ XDG_STATE_HOME: "/s" }), "/s/everseed/dht.state");
  assert.equal(dhtMemoryPath({ EVERSEED_HOME: "/e" }), "/e/state/dht.state");
});
