import assert from "node:assert/strict";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { createTorrent, makeMixedFolder, temporaryFolder } from "./content.ts";
import { assertSameTree, program, skipUnless } from "./foreign-peers.ts";
import { freePort } from "../fixtures/free-port.ts";
import { EVERSEED, Running, until } from "./process.ts";

const PIECE = 65_536;
const OPENTRACKER = "opentracker";
const skip = skipUnless(program(OPENTRACKER));

/** A whitelist build: it answers only for the infohashes that it was given at the start. */
async function startOpentracker(
  t: TestContext,
  folder: string,
  options: { readonly port: number; readonly infohashes: readonly string[] },
): Promise<Running> {
  const { port, infohashes } = options;
  const root = path.join(folder, `opentracker-${port}`);
  fs.mkdirSync(root);
  fs.writeFileSync(path.join(root, "whitelist.txt"), `${infohashes.join("\n")}\n`);
  fs.chmodSync(folder, 0o755);
  const command = [OPENTRACKER, "-i", "127.0.0.1", "-p", `${port}`, "-P", `${port}`, "-d", root];
  const tracker = new Running(t, [...command, "-w", "whitelist.txt"]);
  await until("opentracker listens", () => accepts(port));
  return tracker;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

interface Made {
  readonly folder: string;
  readonly source: string;
  readonly torrent: string;
  /** Both, in hexadecimal; the v2 one truncated as trackers see it. */
  readonly infohashes: readonly string[];
}

function makeTorrent(t: TestContext, kind: string, trackers: readonly string[]): Made {
  const folder = temporaryFolder(t);
  const source = makeMixedFolder(folder, PIECE);
  const { torrent, magnet } = createTorrent(source, path.join(folder, "t.torrent"), [
    "--kind",
    kind,
    "--piece-size",
    String(PIECE),
    ...trackers.flatMap((url) => ["--tracker", url]),
  ]);
  const v1 = /urn:btih:([0-9a-f]{40})/.exec(magnet)?.[1];
  const v2 = /urn:btmh:1220([0-9a-f]{40})/.exec(magnet)?.[1];
  return { folder, source, torrent, infohashes: [v1, v2].filter((each) => each !== undefined) };
}

function seed(t: TestContext, made: Made): Running {
  const where = ["--data", made.folder, "--listen", "127.0.0.1:0"];
  return new Running(t, [EVERSEED, "seed", made.torrent, ...where, "--json", "--verbose"]);
}

function get(t: TestContext, made: Made): Running {
  const where = ["-o", path.join(made.folder, "out"), "--listen", "127.0.0.1:0"];
  return new Running(t, [EVERSEED, "get", made.torrent, ...where, "--json", "--verbose"]);
}

/** @returns Nothing when there was no answer in time: ask again. */
async function scrape(port: number, infohash: string): Promise<string> {
  const escaped = infohash.replace(/../g, "%$&");
  const url = `http://127.0.0.1:${port}/scrape?info_hash=${escaped}`;
  try {
    const signal = AbortSignal.timeout(2_000);
    return await (await fetch(url, { signal, headers: { connection: "close" } })).text();
  } catch (error) {
    if (error instanceof TypeError || error instanceof DOMException) return "";
    throw error;
  }
}

/** True once opentracker lists a seed of the torrent. */
async function listsSeed(port: number, infohash: string): Promise<boolean> {
  return (await scrape(port, infohash)).includes("8:completei1e");
}

for (const scheme of ["http", "udp"]) {
  for (const kind of ["v1", "hybrid"]) {
    test(`seed and get meet through opentracker: ${scheme}, ${kind}`, { skip }, async (t) => {
      const port = await freePort();
      const made = makeTorrent(t, kind, [`${scheme}://127.0.0.1:${port}/announce`]);
      await startOpentracker(t, made.folder, { port, infohashes: made.infohashes });
      seed(t, made);
      for (const infohash of made.infohashes) {
        await until("opentracker knows the seed", () => listsSeed(port, infohash));
      }
      const getting = get(t, made);
      await getting.event("done");
      await getting.succeed();
      assertSameTree(made.source, path.join(made.folder, "out", "mixed"));
    });
  }
}

test("a seed finds leechers that asked before it started", { skip }, async (t) => {
  const port = await freePort();
  const made = makeTorrent(t, "v1", [`http://127.0.0.1:${port}/announce`]);
  await startOpentracker(t, made.folder, { port, infohashes: made.infohashes });
  const getting = get(t, made);
  // There is no peer: from now on it waits for the interval, which is longer than this test.
  await getting.event("alone");
  seed(t, made);
  await getting.event("done");
  await getting.succeed();
  const counted = () => scrape(port, made.infohashes[0]!);
  await until("the completion is counted", async () => /downloadedi1e/.test(await counted()));
});

for (const scheme of ["http", "udp"]) {
  test(`VT-5: tracker 1 of 2 dies, the download finds its peer: ${scheme}`, { skip }, async (t) => {
    const first = await freePort();
    let second = first;
    while (second === first) second = await freePort();
    const urls = [first, second].map((port) => `${scheme}://127.0.0.1:${port}/announce`);
    const made = makeTorrent(t, "v1", urls);
    const { infohashes } = made;
    const doomed = await startOpentracker(t, made.folder, { port: first, infohashes });
    await startOpentracker(t, made.folder, { port: second, infohashes });
    seed(t, made);
    await until("the first knows the seed", () => listsSeed(first, infohashes[0]!));
    await until("the second knows the seed", () => listsSeed(second, infohashes[0]!));
    await doomed.stop();
    const getting = get(t, made);
    await getting.event("done");
    await getting.succeed();
    assertSameTree(made.source, path.join(made.folder, "out", "mixed"));
  });
}

test("get reports what opentracker refuses, and continues to wait", { skip }, async (t) => {
  const port = await freePort();
  const made = makeTorrent(t, "v1", [`http://127.0.0.1:${port}/announce`]);
  await startOpentracker(t, made.folder, { port, infohashes: ["00".repeat(20)] });
  const { trackers } = await get(t, made).event("alone");
  assert.match(JSON.stringify(trackers), /not authorized/i);
});
