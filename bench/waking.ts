import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Session } from "../src/engine/session.ts";
import { buildMetainfo, planTorrent } from "../src/metainfo/create.ts";
import { parseMetainfo } from "../src/metainfo/parse-metainfo.ts";
import { NodeClock } from "../src/platform/node-clock.ts";
import { NodeDisk } from "../src/platform/node-disk.ts";
import { NodeRandom } from "../src/platform/node-random.ts";
import { TcpNet } from "../src/platform/tcp-net.ts";
import { SILENT_LOG } from "../src/ports/log.ts";

/**
 * `tools/run node bench/waking.ts [FILES] [there] [v2] [layers]`: measures how long the engine blocks the main thread
 * without interruption while it opens a torrent of very many files, none or all of which exist. With `v2` each file
 * has a tree, with `layers` also its own piece layer. A timer without delay observes the turns of the event loop; the
 * bench counts the CPU time of the main thread, which other processes do not change.
 */
const count = Number(process.argv[2] ?? 100_000);
const areThere = process.argv.includes("there");
const kind = process.argv.includes("v2") ? "v2" : "v1";
const pieceLength = process.argv.includes("layers") ? 1 << 14 : 1 << 20;
const root = mkdtempSync(join(tmpdir(), "everseed-waking-"));
const files = Array.from({ length: count }, (_, i) => ({
  path: [`folder ${i % 100}`, `a file of some name ${i}.dat`],
  // More than one block, because a v2 file has a tree only then.
  length: kind === "v1" ? 1000 : 20_000,
}));
const plan = planTorrent({ name: "many", files, kind, pieceLength });
const v1 = new Uint8Array(plan.geometry.pieceCount * 20);
const v2 = new Uint8Array(plan.geometry.pieceCount * 32);
for (let at = 0; at < v2.length; at += 65_536) crypto.getRandomValues(v2.subarray(at, at + 65_536));
const metainfo = parseMetainfo(buildMetainfo(plan, kind === "v1" ? { v1 } : { v2 }).torrent);
if (areThere) {
  for (let i = 0; i < 100; i += 1)
    mkdirSync(join(root, "many", `folder ${i}`), { recursive: true });
  for (const { path, length } of files)
    writeFileSync(join(root, "many", ...path), Buffer.alloc(length));
}
const disk = new NodeDisk({ workers: 1 });
const session = new Session({
  ports: {
    clock: new NodeClock(),
    random: new NodeRandom(),
    transports: [new TcpNet()],
    content: disk,
    receiveSlabs: disk.createSlabPool(16 * 1024 * 1024),
    sendSlabs: disk.createSlabPool(4 * 1024 * 1024),
    log: SILENT_LOG,
  },
});
for (let round = 0; round < 3; round += 1) {
  let longestMs = 0;
  let lastMs = mainThreadMs();
  let isOver = false;
  const look = (): void => {
    const now = mainThreadMs();
    longestMs = Math.max(longestMs, now - lastMs);
    lastMs = now;
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  const begunMs = mainThreadMs();
  const torrent = session.add({ from: { metainfo }, root, mode: "seed" });
  const beginMs = mainThreadMs() - begunMs;
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  isOver = true;
  console.log(
    `${count} files: longest piece ${longestMs.toFixed(1)} ms, of the call itself ${beginMs.toFixed(1)} ms`,
  );
  await session.remove(torrent);
}
await session.close();
await disk.close();
rmSync(root, { recursive: true, force: true });

function mainThreadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
