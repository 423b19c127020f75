/**
 * The time of a download while 400 handshakes of message stream encryption go on at the seed (WIR-19), beside the time
 * without them, in alternating rounds: `tools/run node bench/handshakes.ts [MIB] [ROUNDS]`. The goal is below 2.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { floodHandshakes } from "../test/fixtures/handshake-flood.ts";
import { createTorrent, freshFolder, THIS_COPY, writeData } from "./bench-case.ts";
import { watch } from "./measure.ts";

const MIB = 1024 * 1024;
const [mebibytes = 256, rounds = 3] = process.argv.slice(2).map(Number);
const listen = ["--listen", "127.0.0.1:0", "--transport", "tcp", "--json"];
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "everseed-bench-"));
try {
  const data = path.join(scratch, "data");
  const file = path.join(data, "one.bin");
  writeData(file, mebibytes * MIB);
  const torrent = createTorrent(file, path.join(scratch, "one.torrent"), ["--kind", "v1"]);
  const seconds: Record<"alone" | "flooded", number[]> = { alone: [], flooded: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const kind of ["alone", "flooded"] as const) {
      const seed = watch([THIS_COPY.everseed, "seed", torrent, "--data", data, ...listen], scratch);
      const port = Number((await seed.event("ready")).port);
      const flood =
        kind === "flooded" ? floodHandshakes({ address: "127.0.0.1", port }) : undefined;
      const peer = ["--peer", `127.0.0.1:${port}`];
      const out = freshFolder(path.join(scratch, "out"));
      const get = [THIS_COPY.everseed, "get", torrent, "-o", out, ...peer, ...listen];
      const leech = watch(get, scratch);
      await leech.event("ready");
      const startedAt = performance.now();
      await leech.event("done");
      seconds[kind].push((performance.now() - startedAt) / 1000);
      await leech.cost;
      if (flood) console.log(`  ${flood.answered} public keys were answered`);
      flood?.end();
      seed.stop();
      await seed.cost;
    }
  }
  const median = (of: number[]): number => of.toSorted((a, b) => a - b)[of.length >> 1]!;
  const [alone, flooded] = [median(seconds.alone), median(seconds.flooded)];
  console.log(
    `${mebibytes} MiB: ${alone.toFixed(2)} s alone, ${flooded.toFixed(2)} s under 400 handshakes, ` +
      `ratio ${(flooded / alone).toFixed(2)}`,
  );
} finally {
  fs.rmSync(scratch, { recursive: true, force: true });
}
