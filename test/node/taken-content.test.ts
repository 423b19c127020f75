import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
  closeSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { TRANSFERS_PATH, transferPath } from "../../src/api/paths.ts";
import { assembleTorrent } from "../../src/metainfo/assemble-torrent.ts";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import { makeSimTorrent } from "../../src/sim/sim-torrent.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { startNode, untilState } from "./transfers-node.ts";

// Content that is here is not fetched again: a whole node, on a real disk, that takes files from its own transfers.

const SIZE = 3_000_000;
const TMPFS = "/dev/shm";

/** Torrents with different names and the same content. */
function twins(kind: "v1" | "v2") {
  const [one, other] = ["one.bin", "other.bin"].map((name) =>
    makeSimTorrent({ random: seededRandom(8), name, size: SIZE, pieceLength: 65_536, kind }),
  );
  assert.deepEqual(one!.bytes, other!.bytes);
  const [first, second] = [one!, other!].map(({ metainfo: { info, pieceLayers } }) =>
    assembleTorrent({ infoBytes: info.infoBytes, pieceLayers, trackers: [] }),
  );
  return { bytes: Buffer.from(one!.bytes), first: first!, second: second! };
}

async function seeding(t: TestContext, folder: string, hardLinks: boolean) {
  const { bytes, first, second } = twins(hardLinks ? "v1" : "v2");
  const content = join(folder, "content");
  mkdirSync(content, { recursive: true });
  const source = join(content, "one.bin");
  writeFileSync(source, bytes);
  const node = await startNode(t, folder, { hardLinks });
  const add = (torrent: Uint8Array, root: string) =>
    node.send("POST", `${TRANSFERS_PATH}/torrent?folder=${encodeURIComponent(root)}`, torrent);
  const { id } = await add(first, content);
  await untilState(node, id, "seeding");
  return { node, bytes, source, second, add };
}

function isOnOtherDisk(folder: string): boolean {
  try {
    return statSync(TMPFS).dev !== statSync(folder).dev;
  } catch {
    return false;
  }
}

test("a file that is here is copied, also to another disk, and is seeded without a peer", async (t) => {
  const folder = temporaryFolder(t, "everseed-taken-");
  const { node, bytes, source, second, add } = await seeding(t, folder, false);
  const roots = [join(folder, "there")];
  if (isOnOtherDisk(folder)) {
    const other = mkdtempSync(join(TMPFS, "everseed-taken-"));
    t.after(() => rmSync(other, { recursive: true, force: true }));
    roots.push(other);
  }
  for (const root of roots) {
    const { id } = await add(second, root);
    const { downloaded } = await untilState(node, id, "seeding");
    assert.equal(downloaded, 0);
    assert.ok(readFileSync(join(root, "other.bin")).equals(bytes));
    assert.equal(statSync(source).nlink, 1);
    await node.command("DELETE", `${transferPath(id)}?content=true`);
  }
});

test("STO-6 with hard links it gets a second name; once it is damaged, its repair never writes into the other one", async (t) => {
  const folder = temporaryFolder(t, "everseed-linked-");
  const { node, bytes, source, second, add } = await seeding(t, folder, true);
  const root = join(folder, "there");
  const { id } = await add(second, root);
  await untilState(node, id, "seeding");
  const target = join(root, "other.bin");
  const { nlink, ino } = statSync(target);
  // A disk that shares blocks gives it a file of its own.
  if (nlink === 1) return;
  assert.equal(ino, statSync(source).ino);
  const file = openSync(source, "r+");
  writeSync(file, Buffer.alloc(1_000, 1), 0, 1_000, 700_000);
  closeSync(file);
  const damaged = readFileSync(source);
  assert.ok(!damaged.equals(bytes));

  const other = await startNode(t, join(folder, "peer"));
  mkdirSync(join(folder, "whole"));
  writeFileSync(join(folder, "whole", "other.bin"), bytes);
  const query = `?folder=${encodeURIComponent(join(folder, "whole"))}`;
  await other.send("POST", `${TRANSFERS_PATH}/torrent${query}`, second);
  await untilState(other, id, "seeding");
  // What is compared again belongs to the transfer that took it.
  await node.command("POST", `${transferPath(id)}/recheck`);
  await node.send("PATCH", transferPath(id), { addPeers: [`127.0.0.1:${other.port}`] });
  await untilState(node, id, "seeding");
  assert.ok(readFileSync(target).equals(bytes));
  assert.ok(readFileSync(source).equals(damaged));
  assert.equal(statSync(source).nlink, 1);
});
