import { mkdtempSync, rmSync } from "node:fs";
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
 * `tools/run node bench/waking.ts [FILES]`: the longest piece of the main thread while the engine opens a torrent of
 * very many files, none of which is there. Turns of the event loop are watched from a timer without delay.
 */
const count = Number(process.argv[2] ?? 100_000);
const root = mkdtempSync(join(tmpdir(), "everseed-waking-"));
const files = Array.from({ length: count }, (_, i) => ({
  path: [`folder ${i % 100}`, `a file of some name ${i}.dat`],
  length: 1000,
}));
const plan = planTorrent({ name: "many", files, kind: "v1", pieceLength: 1 << 20 });
const v1 = new Uint8Array(plan.geometry.pieceCount * 20);
const metainfo = parseMetainfo(buildMetainfo(plan, { v1 }).torrent);
const disk = new NodeDisk({ workers: 1 });
const session = new Session({
  ports: {
    clock: new NodeClock(),
    random: new NodeRandom(),
    net: new TcpNet(),
    content: disk,
    receiveSlabs: disk.createSlabPool(16 * 1024 * 1024),
    sendSlabs: disk.createSlabPool(4 * 1024 * 1024),
    log: SILENT_LOG,
  },
});
for (let round = 0; round < 3; round += 1) {
  let longestMs = 0;
  let lastMs = performance.now();
  let isOver = false;
  const look = (): void => {
    const now = performance.now();
    longestMs = Math.max(longestMs, now - lastMs);
    lastMs = now;
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  const begunMs = performance.now();
  const torrent = session.add({ from: { metainfo }, root, mode: "seed" });
  const beginMs = performance.now() - begunMs;
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
