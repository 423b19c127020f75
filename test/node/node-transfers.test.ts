import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { TRANSFERS_PATH, transferPath } from "../../src/api/paths.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { makeSimTorrent } from "../../src/sim/sim-torrent.ts";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import { assembleTorrent } from "../../src/metainfo/assemble-torrent.ts";
import { startNode, untilState } from "./transfers-node.ts";

// Transfers of whole nodes, on real sockets and a real disk.

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
