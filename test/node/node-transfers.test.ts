import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { transferContentPath, TRANSFERS_PATH, transferPath } from "../../src/api/paths.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { makeSimTorrent } from "../../src/sim/sim-torrent.ts";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import { assembleTorrent } from "../../src/metainfo/assemble-torrent.ts";
import { startNode, untilState } from "./transfers-node.ts";

// Transfers of whole nodes, on real sockets and a real disk.

/** Asks for a part of a file, as a player does. */
async function readPart(socketPath: string, path: string, range: string) {
  const headers = { host: "localhost", range };
  const [answer] = (await once(request({ socketPath, path, headers }).end(), "response")) as [
    IncomingMessage,
  ];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return { status: answer.statusCode, headers: answer.headers, bytes: Buffer.concat(chunks) };
}

test("a file is a stream with ranges while a node fetches it; its unfinished file is renamed meanwhile", async (t) => {
  const folder = temporaryFolder(t, "everseed-transfers-");
  const made = makeSimTorrent({
    random: seededRandom(6),
    name: "film.webm",
    size: 4_000_000,
    pieceLength: 65_536,
    kind: "v1",
  });
  const { infoBytes } = made.metainfo.info;
  const file = assembleTorrent({ infoBytes, pieceLayers: new Map(), trackers: [] });
  const content = join(folder, "content");
  mkdirSync(content);
  writeFileSync(join(content, "film.webm"), made.bytes);
  const [seeder, node] = [
    await startNode(t, join(folder, "here")),
    await startNode(t, join(folder, "there")),
  ];
  const query = `?folder=${encodeURIComponent(content)}`;
  const { id } = await seeder.send("POST", `${TRANSFERS_PATH}/torrent${query}`, file);
  await untilState(seeder, id, "seeding");
  await node.send("POST", `${TRANSFERS_PATH}/torrent`, file);
  const slow = { downLimit: 300_000, addPeers: [`127.0.0.1:${seeder.port}`] };
  await node.send("PATCH", transferPath(id), slow);
  await untilState(node, id, "downloading");
  const path = transferContentPath(id, 0);
  const part = await readPart(node.socket, path, "bytes=3700000-3799999");
  assert.deepEqual([part.status, part.headers["content-type"]], [206, "video/webm"]);
  assert.equal(part.headers["content-range"], "bytes 3700000-3799999/4000000");
  assert.ok(part.bytes.equals(Buffer.from(made.bytes.subarray(3_700_000, 3_800_000))));
  const { percent } = await node.send("GET", transferPath(id));
  assert.ok(percent! < 60, `${percent} % were there`);
  const name = { path: "film.webm", name: "movie.webm" };
  const renamed = await node.send("POST", `${transferPath(id)}/rename`, name);
  assert.equal(renamed.name, "movie.webm");
  const downloads = join(folder, "there", "downloads");
  assert.ok(existsSync(join(downloads, "movie.webm.part")));
  await node.send("PATCH", transferPath(id), { downLimit: 0 });
  await untilState(node, id, "seeding");
  assert.deepEqual(readFileSync(join(downloads, "movie.webm")), Buffer.from(made.bytes));
  assert.equal(existsSync(join(downloads, "film.webm.part")), false);
});

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
  const seeder = await startNode(t, here);
  const query = `?folder=${encodeURIComponent(join(here, "content"))}`;
  const { id, infohashV2 } = await seeder.send("POST", `${TRANSFERS_PATH}/torrent${query}`, file);
  await untilState(seeder, id, "seeding");

  const first = await startNode(t, there);
  await first.send("POST", TRANSFERS_PATH, { source: id });
  const peer = `127.0.0.1:${seeder.port}`;
  await first.send("PATCH", transferPath(id), { addPeers: [peer] });
  const got = await untilState(first, id, "seeding");
  assert.equal(got.name, "talk.bin");
  assert.equal(got.infohashV2, infohashV2);
  const path = join(there, "downloads", "talk.bin");
  assert.deepEqual(readFileSync(path), Buffer.from(made.bytes));
  await first.stop();
  await seeder.stop();

  const again = await startNode(t, there);
  const kept = await again.send("GET", transferPath(id));
  assert.deepEqual([kept.state, kept.percent], ["seeding", 100]);
  // Nobody announces it here: a handshake wakes it.
  const third = await startNode(t, join(folder, "third"));
  await third.send("POST", TRANSFERS_PATH, { source: infohashV2! });
  await third.send("PATCH", transferPath(infohashV2!.slice(0, 40)), {
    addPeers: [`127.0.0.1:${again.port}`],
  });
  await untilState(third, infohashV2!.slice(0, 40), "seeding");
});
