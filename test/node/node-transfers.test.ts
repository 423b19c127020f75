import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type TestContext, test } from "node:test";
import { TRANSFERS_PATH, transferPath } from "../../src/api/paths.ts";
import { type TransferView, transferSchema } from "../../src/api/transfers.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { runNode } from "../../src/daemon/run-node.ts";
import { SocketCalls } from "../../src/platform/socket-calls.ts";
import { SILENT_LOG } from "../../src/ports/log.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { makeSimTorrent } from "../../src/sim/sim-torrent.ts";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import { assembleTorrent } from "../../src/metainfo/assemble-torrent.ts";

// Transfers of whole nodes, on real sockets and a real disk.

const LIMIT_MS = 20_000;

interface Running {
  readonly port: number;
  send(method: "GET" | "POST" | "PATCH", path: string, body?: unknown): Promise<TransferView>;
  stop(): Promise<void>;
}

async function start(t: TestContext, folder: string): Promise<Running> {
  const overrides = {
    engine: { port: 0, host: "127.0.0.1" },
    discovery: { dht: false, lsd: false },
    dataDir: join(folder, "state"),
    transfers: { folder: join(folder, "downloads") },
  };
  const config = loadConfig({ preset: "node", env: {}, overrides });
  const socket = join(folder, "run", "control.sock");
  const asked = {
    config,
    preset: "node",
    socket,
    origins: new Map(),
    configFile: undefined,
  } as const;
  const node = await runNode(asked, SILENT_LOG);
  t.after(() => node.stop());
  const calls = new SocketCalls(socket);
  return {
    port: node.status().peerPort,
    stop: () => node.stop(),
    send: async (method, path, body) => {
      const isFile = body instanceof Uint8Array;
      const type = isFile ? "application/x-bittorrent" : "application/json";
      const answer = await calls.send({
        method,
        url: `http://localhost${path}`,
        headers: body === undefined ? {} : { "content-type": type },
        body: isFile || body === undefined ? body : JSON.stringify(body),
        timeoutMs: LIMIT_MS,
        bytesMax: 1_000_000,
        signal: new AbortController().signal,
      });
      const text = Buffer.from(answer.body!).toString();
      assert.ok(answer.status < 300, `${answer.status} ${text}`);
      return transferSchema.parse(JSON.parse(text));
    },
  };
}

async function until(
  node: Running,
  id: string,
  state: TransferView["state"],
): Promise<TransferView> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  for (;;) {
    const transfer = await node.send("GET", transferPath(id));
    if (transfer.state === state) return transfer;
    assert.ok(!signal.aborted, `it is ${transfer.state}: ${transfer.cause}`);
    await setTimeout(50);
  }
}

test("a node fetches a magnet link's torrent from another node, and has it all after a restart", async (t) => {
  const folder = temporaryFolder(t, "everseed-transfers-");
  const [here, there] = [join(folder, "here"), join(folder, "there")];
  const made = makeSimTorrent({
    random: seededRandom(5),
    name: "talk.bin",
    size: 3_000_000,
    pieceLength: 65_536,
    kind: "hybrid",
  });
  const { info, pieceLayers } = made.metainfo;
  const file = assembleTorrent({ infoBytes: info.infoBytes, pieceLayers, trackers: [] });
  mkdirSync(join(here, "content"), { recursive: true });
  writeFileSync(join(here, "content", "talk.bin"), made.bytes);
  const seeder = await start(t, here);
  const query = `?folder=${encodeURIComponent(join(here, "content"))}`;
  const { id, infohashV2 } = await seeder.send("POST", `${TRANSFERS_PATH}/torrent${query}`, file);
  await until(seeder, id, "seeding");

  const first = await start(t, there);
  await first.send("POST", TRANSFERS_PATH, { source: id });
  const peer = `127.0.0.1:${seeder.port}`;
  await first.send("PATCH", transferPath(id), { addPeers: [peer] });
  const got = await until(first, id, "seeding");
  assert.equal(got.name, "talk.bin");
  assert.equal(got.infohashV2, infohashV2);
  const path = join(there, "downloads", "talk.bin");
  assert.deepEqual(readFileSync(path), Buffer.from(made.bytes));
  await first.stop();
  await seeder.stop();

  const again = await start(t, there);
  const kept = await again.send("GET", transferPath(id));
  assert.deepEqual([kept.state, kept.percent], ["seeding", 100]);
  // Nobody announces it here: a handshake wakes it.
  const third = await start(t, join(folder, "third"));
  await third.send("POST", TRANSFERS_PATH, { source: infohashV2! });
  await third.send("PATCH", transferPath(infohashV2!.slice(0, 40)), {
    addPeers: [`127.0.0.1:${again.port}`],
  });
  await until(third, infohashV2!.slice(0, 40), "seeding");
});
