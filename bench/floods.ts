/**
 * Measures an honest download of ours while somebody floods it; run by hand: `tools/run node bench/floods.ts [MIB] [ROUNDS]
 * [KIND]`. In turn without a flood and under one: a seed and a download on loopback, both on the first core, and a flooder
 * with the second core for itself, so that what is lost is what the flood costs the download. The goal is half of the speed.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseMetainfo } from "../src/metainfo/parse-metainfo.ts";
import { toHex } from "../src/base/bytes.ts";
import { createTorrent, freshFolder, REPOSITORY, THIS_COPY, writeData } from "./bench-case.ts";
import { type Cost, median, watch, type Watched } from "./measure.ts";
import { FLOOD_KINDS, type FloodKind } from "./peers/flood-kinds.ts";

const MIB = 1024 * 1024;
const [mebibytes = 256, rounds = 3] = process.argv.slice(2, 4).map(Number);
const wanted = process.argv[4] ?? "";
const HONEST_CORE = ["taskset", "-c", "0"];
const FLOOD_CORE = ["taskset", "-c", "1"];
const COMMON = ["--json", "--map-ports", "off"];
const FLOODER = path.join(import.meta.dirname, "peers", "flooder.ts");
const NODE = [path.join(REPOSITORY, "tools/run"), "node"];

interface Round {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Packets, messages or connections that the flooder sent. */
  readonly sent: number;
}

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "everseed-floods-"));
try {
  const file = path.join(scratch, "one.bin");
  writeData(file, mebibytes * MIB);
  const torrent = createTorrent(file, path.join(scratch, "one.torrent"), ["--kind", "v1"]);
  const infohash = toHex(parseMetainfo(fs.readFileSync(torrent)).info.infohashes.v1!);
  for (const [kind, { unit, flags }] of Object.entries(FLOOD_KINDS)) {
    if (!kind.includes(wanted)) continue;
    const quiet: Round[] = [];
    const flooded: Round[] = [];
    for (let round = 0; round < rounds; round += 1) {
      quiet.push(await download({ torrent, flags }));
      flooded.push(
        await download({ torrent, flags, flood: { kind: kind as FloodKind, infohash } }),
      );
    }
    const seconds = (of: readonly Round[]): number => median(of.map((each) => each.seconds));
    const rate = median(flooded.map((each) => each.sent / each.seconds));
    const micros = median(
      flooded.map(
        ({ cpuSeconds, sent }, at) => ((cpuSeconds - quiet[at]!.cpuSeconds) / sent) * 1e6,
      ),
    );
    console.log(
      `${kind}: ${mebibytes} MiB in ${seconds(quiet).toFixed(2)} s, ${seconds(flooded).toFixed(2)} s under ` +
        `${Math.round(rate)} ${unit} a second: speed ${(seconds(quiet) / seconds(flooded)).toFixed(2)}, ` +
        `${micros.toFixed(1)} us of the download's CPU for each`,
    );
  }
} finally {
  fs.rmSync(scratch, { recursive: true, force: true });
}

async function download(how: {
  readonly torrent: string;
  readonly flags: readonly string[];
  readonly flood?: { readonly kind: FloodKind; readonly infohash: string };
}): Promise<Round> {
  const { torrent, flags, flood } = how;
  const command = [...HONEST_CORE, THIS_COPY.everseed];
  const listen = ["--listen", "127.0.0.1:0"];
  const seed = watch(
    [
      ...command,
      "seed",
      torrent,
      "--data",
      scratch,
      ...listen,
      "--lsd",
      "off",
      ...flags,
      ...COMMON,
    ],
    scratch,
  );
  let flooder: Watched | undefined;
  try {
    const peer = `127.0.0.1:${String((await seed.event("ready"))["port"])}`;
    const out = freshFolder(path.join(scratch, "out"));
    const get = watch(
      [...command, "get", torrent, "-o", out, ...listen, "--peer", peer, ...flags].concat(
        ["--dht", "on", "--dht-bootstrap", "127.0.0.1:9", "--lsd", "on"],
        COMMON,
      ),
      scratch,
    );
    const { port } = await get.event("ready");
    const begin = performance.now();
    if (flood) {
      flooder = watch(
        [...FLOOD_CORE, ...NODE, FLOODER, flood.kind, String(port), flood.infohash],
        scratch,
      );
    }
    await get.event("done");
    const seconds = (performance.now() - begin) / 1000;
    flooder?.stop();
    const sent = Number((await flooder?.event("flooded"))?.["sent"] ?? 0);
    const cost: Cost = await get.cost;
    return { seconds, cpuSeconds: cost.cpuSeconds, sent };
  } finally {
    flooder?.stop();
    seed.stop();
    await Promise.all([seed.cost, flooder?.cost]);
  }
}
